defmodule ChaosChat.Client do
  @moduledoc "A WebSocket client on a raw socket that can also misbehave: it sends the bytes it is given."

  alias ChaosChat.Listener

  @key "dGhlIHNhbXBsZSBub25jZQ=="
  # RFC 6455, section 1.3.
  @accept "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
  @timeout_ms 2_000

  def request(key \\ @key) do
    "GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" <>
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: #{key}\r\n\r\n"
  end

  def connect do
    {:ok, socket} =
      :gen_tcp.connect({127, 0, 0, 1}, Listener.port(), [:binary, active: false, nodelay: true])

    socket
  end

  @doc "A connection after its handshake, in the same packet as which `bytes` were sent."
  def open(bytes \\ "") do
    socket = connect()
    :ok = :gen_tcp.send(socket, [request(), bytes])
    head = head(socket, "")
    true = head =~ "101 Switching Protocols"
    true = head =~ @accept
    socket
  end

  def join(socket, room) do
    send_text(socket, ~s({"type":"join","room":"#{room}"}))
    {:text, answer} = receive_frame(socket)
    ^answer = ~s({"type":"joined","room":"#{room}"})
    socket
  end

  @doc "Everything until the server ends the connection."
  def exchange(bytes) do
    socket = connect()
    :ok = :gen_tcp.send(socket, bytes)
    read_to_end(socket, "")
  end

  def stats do
    [_head, body] =
      String.split(exchange("GET /stats HTTP/1.1\r\nHost: test\r\n\r\n"), "\r\n\r\n")

    for [key, value] <- Regex.scan(~r/"(\w+)":(\d+)/, body, capture: :all_but_first),
        into: %{},
        do: {String.to_atom(key), String.to_integer(value)}
  end

  def send_text(socket, text), do: :ok = :gen_tcp.send(socket, frame(0x1, text))

  @doc "A client frame; `first` replaces its first byte."
  def frame(opcode, payload, first \\ nil) do
    key = <<0x37, 0xFA, 0x21, 0x3D>>
    size = byte_size(payload)

    length =
      cond do
        size < 126 -> <<1::1, size::7>>
        size < 65_536 -> <<1::1, 126::7, size::16>>
        true -> <<1::1, 127::7, size::64>>
      end

    <<first || 0x80 + opcode, length::binary, key::binary, mask(payload, key)::binary>>
  end

  # By byte, unlike the server, so that the two cannot be wrong in the same way.
  defp mask(payload, key) do
    for {byte, index} <- Enum.with_index(:binary.bin_to_list(payload)), into: "" do
      <<Bitwise.bxor(byte, :binary.at(key, rem(index, 4)))>>
    end
  end

  def receive_frame(socket) do
    case :gen_tcp.recv(socket, 2, @timeout_ms) do
      {:ok, <<1::1, 0::3, opcode::4, 0::1, length::7>>} ->
        {kind(opcode), read(socket, length(socket, length))}

      {:error, reason} ->
        reason
    end
  end

  defp length(socket, 126), do: :binary.decode_unsigned(read(socket, 2))
  defp length(socket, 127), do: :binary.decode_unsigned(read(socket, 8))
  defp length(_socket, length), do: length

  defp kind(0x1), do: :text
  defp kind(0x8), do: :close
  defp kind(0xA), do: :pong

  defp read(_socket, 0), do: ""

  defp read(socket, size) do
    {:ok, bytes} = :gen_tcp.recv(socket, size, @timeout_ms)
    bytes
  end

  defp head(socket, read) do
    if String.ends_with?(read, "\r\n\r\n"), do: read, else: head(socket, read <> read(socket, 1))
  end

  defp read_to_end(socket, read) do
    case :gen_tcp.recv(socket, 0, @timeout_ms) do
      {:ok, bytes} -> read_to_end(socket, read <> bytes)
      {:error, :closed} -> read
    end
  end
end
