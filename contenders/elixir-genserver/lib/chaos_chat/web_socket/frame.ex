defmodule ChaosChat.WebSocket.Frame do
  @moduledoc """
  The frame codec of RFC 6455, section 5.2, for the server's side: masked frames in, plain frames out.
  """

  @opcodes %{
    0x0 => :continuation,
    0x1 => :text,
    0x2 => :binary,
    0x8 => :close,
    0x9 => :ping,
    0xA => :pong
  }

  @type opcode :: :continuation | :text | :binary | :close | :ping | :pong
  @type close_code :: 1000..4999
  @type t :: {opcode, fin? :: boolean, payload :: binary}
  @type failure :: {:fail, close_code, reason :: String.t()}

  @doc """
  Takes one frame off the front of `buffer`.

  `space` is how many bytes of payload a data frame may bring. A frame that may not be is refused
  as soon as its header shows it, before its payload is there.
  """
  @spec decode(binary, non_neg_integer) :: {:ok, t, rest :: binary} | :more | failure
  def decode(<<fin::1, rsv::3, opcode::4, masked::1, length::7, rest::binary>>, space) do
    case check(fin, rsv, opcode, masked, length) do
      :ok -> decode(length, rest, {Map.fetch!(@opcodes, opcode), fin == 1}, space)
      failure -> failure
    end
  end

  def decode(_buffer, _space), do: :more

  # Sections 5.2 (reserved bits and opcodes), 5.1 (masking) and 5.5 (control frames).
  defp check(_fin, rsv, _opcode, _masked, _length) when rsv != 0,
    do: {:fail, 1002, "reserved bits set, no extension was negotiated"}

  defp check(_fin, _rsv, opcode, _masked, _length) when opcode in 0x3..0x7 or opcode in 0xB..0xF,
    do: {:fail, 1002, "reserved opcode"}

  defp check(_fin, _rsv, _opcode, 0, _length), do: {:fail, 1002, "frame is not masked"}

  defp check(0, _rsv, opcode, 1, _length) when opcode >= 0x8,
    do: {:fail, 1002, "fragmented control frame"}

  defp check(_fin, _rsv, opcode, 1, length) when opcode >= 0x8 and length > 125,
    do: {:fail, 1002, "control frame over 125 bytes"}

  defp check(_fin, _rsv, _opcode, 1, _length), do: :ok

  # Section 5.2: the minimal number of bytes MUST be used, and the top bit of 64 MUST be 0.
  defp decode(126, <<length::16, _::binary>>, _head, _space) when length < 126,
    do: {:fail, 1002, "length not in its shortest form"}

  defp decode(126, <<length::16, rest::binary>>, head, space),
    do: payload(length, rest, head, space)

  defp decode(127, <<1::1, _::63, _::binary>>, _head, _space),
    do: {:fail, 1002, "top bit of the length set"}

  defp decode(127, <<length::64, _::binary>>, _head, _space) when length < 65_536,
    do: {:fail, 1002, "length not in its shortest form"}

  defp decode(127, <<length::64, rest::binary>>, head, space),
    do: payload(length, rest, head, space)

  defp decode(length, rest, head, space) when length < 126,
    do: payload(length, rest, head, space)

  defp decode(_length, _rest, _head, _space), do: :more

  defp payload(length, _rest, {opcode, _fin?}, space)
       when length > space and opcode in [:continuation, :text, :binary],
       do: {:fail, 1009, "message over 65536 bytes"}

  defp payload(length, rest, {opcode, fin?}, _space) do
    case rest do
      <<key::binary-size(4), payload::binary-size(length), rest::binary>> ->
        {:ok, {opcode, fin?, unmask(payload, key)}, release(rest)}

      _ ->
        :more
    end
  end

  defp unmask("", _key), do: ""

  # crypto's exor works on words; a comprehension per byte costs more than ten times as much.
  defp unmask(payload, key) do
    size = byte_size(payload)
    mask = :binary.copy(key, div(size + 3, 4))
    :crypto.exor(payload, binary_part(mask, 0, size))
  end

  # An empty rest would keep the whole buffer alive on an idle connection.
  defp release(""), do: ""
  defp release(rest), do: rest

  @doc "A whole message or control frame as one binary, which can be sent to any number of clients."
  @spec encode(opcode, binary) :: binary
  def encode(opcode, payload) do
    code = code(opcode)

    case byte_size(payload) do
      size when size < 126 -> <<0x8::4, code::4, size, payload::binary>>
      size when size < 65_536 -> <<0x8::4, code::4, 126, size::16, payload::binary>>
      size -> <<0x8::4, code::4, 127, size::64, payload::binary>>
    end
  end

  for {code, opcode} <- @opcodes do
    defp code(unquote(opcode)), do: unquote(code)
  end

  @doc "The sizes of whole frames that were made by `encode/2` and joined, headers included."
  @spec sizes(binary) :: [pos_integer]
  def sizes(<<_, 126, length::16, _::binary-size(length), rest::binary>>),
    do: [length + 4 | sizes(rest)]

  def sizes(<<_, 127, length::64, _::binary-size(length), rest::binary>>),
    do: [length + 10 | sizes(rest)]

  def sizes(<<_, length, _::binary-size(length), rest::binary>>), do: [length + 2 | sizes(rest)]
  def sizes(""), do: []

  @doc "A close frame; `nil` is one without a code."
  @spec encode_close(close_code | nil, String.t()) :: binary
  def encode_close(code, reason \\ "")
  def encode_close(nil, _reason), do: encode(:close, "")
  def encode_close(code, reason), do: encode(:close, <<code::16, reason::binary>>)

  @doc "The code in the payload of a close frame (sections 5.5.1 and 7.4), `nil` when there is none."
  @spec close_code(binary) :: {:ok, close_code | nil} | failure
  def close_code(""), do: {:ok, nil}

  def close_code(<<code::16, reason::binary>>)
      when code in 1000..1003 or code in 1007..1014 or code in 3000..4999 do
    if ChaosChat.WebSocket.UTF8.valid?(reason),
      do: {:ok, code},
      else: {:fail, 1007, "close reason is not UTF-8"}
  end

  def close_code(_payload), do: {:fail, 1002, "close code may not be sent"}
end
