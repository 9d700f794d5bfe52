defmodule ChaosChat.OutboxTest do
  use ExUnit.Case

  alias ChaosChat.{Outbox, Stats}
  alias ChaosChat.WebSocket.Frame

  for batch_bytes <- [0, 65_536] do
    test "counts to the message what a client got and what it did not, #{batch_bytes} bytes a write" do
      # trap_exit as in a connection: giving up kills the port, which is linked.
      Process.flag(:trap_exit, true)
      {server, client} = socket_pair()
      dropped = Stats.get(:dropped)
      frame = Frame.encode(:text, String.duplicate("x", 1_000))

      outbox =
        Enum.reduce(1..2_000, %Outbox{socket: server, batch_bytes: unquote(batch_bytes)}, fn _,
                                                                                             outbox ->
          Outbox.push(outbox, 1, frame)
        end)

      assert outbox.failed == :timeout
      # What the kernel had taken still arrives, and the last frame of it may be cut.
      arrived = div(byte_size(read_to_end(client, "")), byte_size(frame))
      assert arrived > 0
      assert arrived + Stats.get(:dropped) - dropped == 2_000 - outbox.count
    end
  end

  defp socket_pair do
    # The options that the counting rests on are those of ChaosChat.Listener.
    options = [
      :binary,
      active: false,
      sndbuf: 8_192,
      high_watermark: 1,
      low_watermark: 0,
      send_timeout: 200
    ]

    {:ok, listener} = :gen_tcp.listen(0, [{:ip, {127, 0, 0, 1}} | options])
    {:ok, port} = :inet.port(listener)

    {:ok, client} =
      :gen_tcp.connect({127, 0, 0, 1}, port, [:binary, active: false, recbuf: 4_096])

    {:ok, server} = :gen_tcp.accept(listener)
    {server, client}
  end

  defp read_to_end(client, read) do
    case :gen_tcp.recv(client, 0, 2_000) do
      {:ok, bytes} -> read_to_end(client, read <> bytes)
      {:error, :closed} -> read
    end
  end
end
