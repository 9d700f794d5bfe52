defmodule ChaosChat.ServerTest do
  use ExUnit.Case, async: true

  alias ChaosChat.Server

  for {batch_bytes, expected} <- [
        {65_536, [{:deliver, 3, "abcd"}]},
        {2, [{:deliver, 1, "ab"}, {:deliver, 2, "cd"}]},
        {0, [{:deliver, 1, "ab"}, {:deliver, 1, "c"}, {:deliver, 1, "d"}]}
      ] do
    test "sends what waits in batches of #{batch_bytes} bytes, in order" do
      server = start_supervised!({Server, unquote(batch_bytes)})
      :ok = GenServer.call(server, {:join, "room"})
      :ok = GenServer.call(server, {:join, "elsewhere"})

      :sys.suspend(server)

      senders =
        for {room, frames} <- [{"room", "ab"}, {"room", "c"}, {"room", "d"}, {"nobody", "x"}] do
          :gen_server.send_request(server, {:broadcast, room, 1, frames})
        end

      :sys.resume(server)
      for request <- senders, do: {:reply, :ok} = :gen_server.receive_response(request, 1_000)
      for message <- unquote(Macro.escape(expected)), do: assert_received(^message)
      refute_received {:deliver, _, _}
    end
  end
end
