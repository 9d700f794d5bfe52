defmodule ChaosChat.Outbox do
  @moduledoc """
  The writing side of a connection: collects up to `batch` frames, writes them at once, and knows
  for every message whether it was handed to the client or dropped.

  A write that the kernel takes only in part returns at once, and the next one waits for the rest
  (`high_watermark: 1` in ChaosChat.Listener). So when a write times out, the VM's queue holds the end
  of the last two writes, and the sizes of their frames say how many messages that is.

  After a failure everything pushed is dropped. The connection looks at `failed` when it is done.
  """

  alias ChaosChat.Stats

  # More in one write would only be copied into the kernel piece by piece.
  @max_bytes 65_536

  defstruct [:socket, :batch, frames: [], count: 0, bytes: 0, last: [], failed: nil]

  @type t :: %__MODULE__{
          socket: :gen_tcp.socket(),
          batch: pos_integer,
          # Newest first, as are the sizes of the last write's frames in `last`.
          frames: [binary],
          count: non_neg_integer,
          bytes: non_neg_integer,
          last: [pos_integer],
          failed: nil | atom
        }

  @doc "Adds one framed message."
  @spec push(t, binary) :: t
  def push(%{failed: nil} = outbox, frame) do
    outbox = %{
      outbox
      | frames: [frame | outbox.frames],
        count: outbox.count + 1,
        bytes: outbox.bytes + byte_size(frame)
    }

    if outbox.count >= outbox.batch or outbox.bytes >= @max_bytes,
      do: flush(outbox),
      else: outbox
  end

  def push(outbox, _frame) do
    Stats.add(:dropped, 1)
    outbox
  end

  @doc "Writes what was pushed."
  @spec flush(t) :: t
  def flush(%{count: 0} = outbox), do: outbox

  def flush(%{frames: frames, count: count} = outbox) do
    sizes = Enum.map(frames, &byte_size/1)
    outbox = %{outbox | frames: [], count: 0, bytes: 0}

    case :gen_tcp.send(outbox.socket, Enum.reverse(frames)) do
      :ok ->
        Stats.add(:sent, count)
        %{outbox | last: sizes}

      {:error, :timeout} ->
        lost = messages_in(queued(outbox), sizes ++ outbox.last)
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

  # How many of the newest messages have bytes among the last `bytes`.
  defp messages_in(bytes, [size | sizes]) when bytes > 0, do: 1 + messages_in(bytes - size, sizes)
  defp messages_in(_bytes, _sizes), do: 0
end
