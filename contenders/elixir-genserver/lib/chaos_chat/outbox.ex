defmodule ChaosChat.Outbox do
  @moduledoc """
  The writing side of a connection: collects frames up to `batch_bytes`, writes them at once, and knows
  for every message whether it was handed to the client or dropped.

  A write that the kernel takes only in part returns at once, and the next one waits for the rest
  (`high_watermark: 1` in ChaosChat.Listener). So when a write times out, the VM's queue holds the end
  of the last two writes, and the frames in them say how many messages that is.

  After a failure everything pushed is dropped. The connection looks at `failed` when it is done.
  """

  alias ChaosChat.Stats
  alias ChaosChat.WebSocket.Frame

  # `last`: what the last write was.
  defstruct [:socket, :batch_bytes, frames: [], count: 0, bytes: 0, last: [], failed: nil]

  @type t :: %__MODULE__{
          socket: :gen_tcp.socket(),
          batch_bytes: non_neg_integer,
          # Newest first.
          frames: [binary],
          count: non_neg_integer,
          bytes: non_neg_integer,
          last: iodata,
          failed: nil | atom
        }

  @doc "Adds `count` framed messages."
  @spec push(t, pos_integer, binary) :: t
  def push(%{failed: nil} = outbox, count, frames) do
    outbox = %{
      outbox
      | frames: [frames | outbox.frames],
        count: outbox.count + count,
        bytes: outbox.bytes + byte_size(frames)
    }

    if outbox.bytes >= outbox.batch_bytes, do: flush(outbox), else: outbox
  end

  def push(outbox, count, _frames) do
    Stats.add(:dropped, count)
    outbox
  end

  @doc "Writes what was pushed."
  @spec flush(t) :: t
  def flush(%{count: 0} = outbox), do: outbox

  def flush(%{frames: frames, count: count} = outbox) do
    written = Enum.reverse(frames)
    outbox = %{outbox | frames: [], count: 0, bytes: 0}

    case :gen_tcp.send(outbox.socket, written) do
      :ok ->
        Stats.add(:sent, count)
        %{outbox | last: written}

      {:error, :timeout} ->
        lost = messages_in(queued(outbox), [outbox.last, written])
        Stats.add(:sent, max(count - lost, 0))
        Stats.add(:dropped, lost)
        give_up(outbox, :timeout)

      {:error, reason} ->
        Stats.add(:dropped, count)
        give_up(outbox, reason)
    end
  end

  @doc "Writes a control frame, behind everything that was pushed. It is no message and not counted."
  @spec control(t, binary) :: t
  def control(outbox, frame) do
    case flush(outbox) do
      %{failed: nil} = outbox -> write_control(outbox, frame)
      outbox -> outbox
    end
  end

  defp write_control(outbox, frame) do
    case :gen_tcp.send(outbox.socket, frame) do
      :ok ->
        %{outbox | last: []}

      {:error, :timeout} ->
        lost = messages_in(queued(outbox) - byte_size(frame), outbox.last)
        Stats.add(:dropped, lost)
        give_up(outbox, :timeout)

      {:error, reason} ->
        give_up(outbox, reason)
    end
  end

  @doc """
  Ends the socket at once. What the kernel has taken still goes out; what the VM has queued does not.

  `:gen_tcp.close/1` would wait for that queue for up to three minutes, and a linger time of 0 would
  take back what the kernel has.
  """
  @spec give_up(t, atom) :: t
  def give_up(outbox, reason) do
    :erlang.exit(outbox.socket, :kill)
    %{outbox | failed: reason}
  end

  defp queued(outbox) do
    case :inet.getstat(outbox.socket, [:send_pend]) do
      {:ok, [send_pend: bytes]} -> bytes
      {:error, _reason} -> 0
    end
  end

  # How many of the messages written have bytes among the last `bytes`.
  defp messages_in(bytes, written) do
    written |> IO.iodata_to_binary() |> Frame.sizes() |> Enum.reverse() |> newest(bytes)
  end

  defp newest([size | sizes], bytes) when bytes > 0, do: 1 + newest(sizes, bytes - size)
  defp newest(_sizes, _bytes), do: 0
end
