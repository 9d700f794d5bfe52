defmodule ChaosChat.WebSocket.Stream do
  @moduledoc """
  Turns the bytes of one client into messages: buffering, fragmentation (RFC 6455, section 5.4) and UTF-8.

  Pure: `push/2` what arrived, then take `next/1` until it asks for more.
  """

  alias ChaosChat.WebSocket.{Frame, UTF8}

  # CONTRACT.md: text messages up to 64 KiB, fragments taken together.
  @max_bytes 65_536

  # `pieces`: the fragments of the message under way, newest first; nil between messages.
  # `tail`: the character that the last fragment left unfinished.
  defstruct buffer: "", pieces: nil, bytes: 0, tail: ""

  @type t :: %__MODULE__{
          buffer: binary,
          pieces: [binary] | nil,
          bytes: non_neg_integer,
          tail: binary
        }

  @type event ::
          {:text, String.t()}
          | {:ping, binary}
          | {:close, Frame.close_code() | nil}
          | Frame.failure()

  @spec push(t, binary) :: t
  def push(%{buffer: ""} = stream, bytes), do: %{stream | buffer: bytes}
  def push(stream, bytes), do: %{stream | buffer: stream.buffer <> bytes}

  @doc "The next event. After `:close` and `:fail` the stream is at its end and must not be asked again."
  @spec next(t) :: {event | :more, t}
  def next(stream) do
    case Frame.decode(stream.buffer, @max_bytes - stream.bytes) do
      {:ok, frame, rest} -> accept(frame, %{stream | buffer: rest})
      :more -> {:more, stream}
      failure -> {failure, stream}
    end
  end

  defp accept({:text, true, text}, %{pieces: nil} = stream) do
    if UTF8.valid?(text), do: {{:text, text}, stream}, else: not_utf8(stream)
  end

  defp accept({:text, false, piece}, %{pieces: nil} = stream),
    do: gather(piece, %{stream | pieces: []})

  defp accept({:text, _fin?, _payload}, stream),
    do: {{:fail, 1002, "new message inside a fragmented one"}, stream}

  defp accept({:binary, _fin?, _payload}, stream),
    do: {{:fail, 1003, "binary messages are not supported"}, stream}

  defp accept({:continuation, _fin?, _payload}, %{pieces: nil} = stream),
    do: {{:fail, 1002, "continuation of nothing"}, stream}

  defp accept({:continuation, false, piece}, stream), do: gather(piece, stream)

  defp accept({:continuation, true, piece}, stream) do
    case UTF8.check(stream.tail, piece) do
      {:ok, ""} ->
        text = IO.iodata_to_binary(Enum.reverse(stream.pieces, [piece]))
        {{:text, text}, %__MODULE__{buffer: stream.buffer}}

      _ ->
        not_utf8(stream)
    end
  end

  defp accept({:ping, true, payload}, stream), do: {{:ping, payload}, stream}
  defp accept({:pong, true, _payload}, stream), do: next(stream)

  defp accept({:close, true, payload}, stream) do
    case Frame.close_code(payload) do
      {:ok, code} -> {{:close, code}, stream}
      failure -> {failure, stream}
    end
  end

  # Not kept, or a client could pile up empty fragments without ever reaching the limit.
  defp gather("", stream), do: next(stream)

  defp gather(piece, stream) do
    case UTF8.check(stream.tail, piece) do
      {:ok, tail} ->
        pieces = [piece | stream.pieces]
        next(%{stream | pieces: pieces, bytes: stream.bytes + byte_size(piece), tail: tail})

      :error ->
        not_utf8(stream)
    end
  end

  defp not_utf8(stream), do: {{:fail, 1007, "text is not UTF-8"}, stream}
end
