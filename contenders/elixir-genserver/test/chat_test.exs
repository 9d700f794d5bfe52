defmodule ChaosChat.ChatTest do
  use ExUnit.Case

  import ChaosChat.Client

  alias ChaosChat.Listener

  # The whole server on a real socket, once per variant.
  for variant <- [:default, :article, :tuned] do
    describe "#{variant}" do
      setup do
        start(unquote(variant))
      end

      test "echoes the identical bytes" do
        socket = open()

        for text <- [echo(1, "hi"), echo(2, ~S(ü \"quoted\" \n)), largest_echo()] do
          send_text(socket, text)
          assert receive_frame(socket) == {:text, text}
        end
      end

      test "reads frames that came with the handshake, and byte by byte" do
        socket = open(frame(0x1, echo(1, "a")) <> frame(0x9, "p"))
        assert receive_frame(socket) == {:text, echo(1, "a")}
        assert receive_frame(socket) == {:pong, "p"}

        for <<byte <- frame(0x1, echo(2, "b"))>>, do: :ok = :gen_tcp.send(socket, <<byte>>)
        assert receive_frame(socket) == {:text, echo(2, "b")}
      end

      test "delivers to every member, in each sender's order, and to nobody else" do
        members = for _ <- 1..20, do: open() |> join("room") |> join("room")
        stranger = join(open(), "elsewhere")
        senders = Enum.take(members, 3)

        for seq <- 1..50, {socket, from} <- Enum.with_index(senders) do
          send_text(socket, say("room", from, seq))
        end

        for member <- members do
          received = for _ <- 1..150, {:text, text} = receive_frame(member), do: text

          for from <- 0..2 do
            mine = Enum.filter(received, &(&1 =~ ~s("from":"#{from}")))
            assert mine == for(seq <- 1..50, do: say("room", from, seq))
          end
        end

        send_text(stranger, echo(1, "alone"))
        assert receive_frame(stranger) == {:text, echo(1, "alone")}

        # A message is counted after it was sent, which its client may be quicker to see.
        assert eventually(fn ->
                 stats() == %{
                   connections: 21,
                   received: 41 + 150 + 1,
                   sent: 41 + 20 * 150 + 1,
                   dropped: 0
                 }
               end)
      end

      test "a crash ends its own connection only" do
        [victim | others] = for _ <- 1..3, do: join(open(), "room")
        # In one packet: what was due before the fault is not lost with it.
        crash = frame(0x1, echo(1, "before")) <> frame(0x1, ~S({"type":"crash"}))
        :ok = :gen_tcp.send(victim, crash)
        assert receive_frame(victim) == {:text, echo(1, "before")}
        assert receive_frame(victim) == :closed

        send_text(hd(others), say("room", 1, 1))
        for other <- others, do: assert(receive_frame(other) == {:text, say("room", 1, 1)})
        assert %{connections: 2, dropped: 0} = stats()
      end

      test "answers anything else with an error and stays" do
        socket = open()

        for text <- ["", "null", ~S({"type":"echo"}), ~S({"type":"join","room":"a b"})] do
          send_text(socket, text)
          assert {:text, ~S({"type":"error","reason":") <> _} = receive_frame(socket)
        end

        send_text(socket, echo(1, "still here"))
        assert receive_frame(socket) == {:text, echo(1, "still here")}
      end

      test "closes with the code that says why, and ends the connection" do
        for {bytes, code} <- [
              {frame(0x8, <<4000::16, "bye">>) <> frame(0x1, echo(1, "ignored")), 4000},
              {<<0x81, 0x01, "x">>, 1002},
              {frame(0x2, "x"), 1003},
              {frame(0x1, <<0xFF>>), 1007},
              {<<0x81, 0xFF, 65_537::64>>, 1009}
            ] do
          socket = open(bytes)
          assert {:close, <<^code::16, _reason::binary>>} = receive_frame(socket)
          assert receive_frame(socket) == :closed
        end

        assert %{connections: 0, received: 0} = stats()
      end

      test "counts what a client that never reads was owed" do
        slow = join(open(), "room")
        sender = open()
        count = 3_000

        for seq <- 1..count,
            do: send_text(sender, say("room", 1, seq, String.duplicate("x", 1_000)))

        send_text(sender, echo(1, "done"))
        assert receive_frame(sender) == {:text, echo(1, "done")}

        # A reset loses what is in the kernel, which nobody can know: only a lower bound holds.
        :ok = :inet.setopts(slow, linger: {true, 0})
        :gen_tcp.close(slow)
        assert eventually(fn -> stats().connections == 1 end)
        stats = stats()
        assert stats.dropped > 0
        # Two messages were no says: the join and the echo.
        assert stats.sent + stats.dropped == count + 2
      end

      test "drops the connections of a server that died, since it forgot their rooms" do
        member = join(open(), "room")
        [{_, server, _, _} | _] = PartitionSupervisor.which_children(ChaosChat.Servers)
        listener = Process.whereis(Listener)
        Process.exit(server, :kill)
        assert {:close, <<1001::16, _::binary>>} = receive_frame(member)

        assert eventually(fn -> Process.whereis(Listener) not in [nil, listener] end)
        again = join(open(), "room")
        send_text(again, say("room", 1, 1))
        assert receive_frame(again) == {:text, say("room", 1, 1)}
      end

      test "says goodbye when it stops" do
        socket = open()
        :ok = Application.stop(:chaos_chat)
        assert {:close, <<1001::16, _::binary>>} = receive_frame(socket)
        assert receive_frame(socket) == :closed
      end
    end
  end

  describe "HTTP" do
    setup do
      start(:default)
    end

    test "refuses what is not for it" do
      for {request, status} <- [
            {"GET /nothing HTTP/1.1\r\n\r\n", "404"},
            {"POST /stats HTTP/1.1\r\n\r\n", "405"},
            {"GET /ws HTTP/1.1\r\nHost: test\r\n\r\n", "426"},
            {String.replace(request(), "Version: 13", "Version: 8"), "426"},
            {String.replace(request(), "Host: test\r\n", ""), "400"},
            {request("c2hvcnQ="), "400"},
            {"\r\n\r\n", "400"},
            {"\x16\x03\x01 no HTTP\r\n\r\n", "400"},
            {"GET /ws HTTP/1.1\r\nX: #{String.duplicate("x", 9_000)}", "431"}
          ] do
        response = exchange(request)

        assert String.starts_with?(response, "HTTP/1.1 #{status} "),
               "#{inspect(request)}: #{response}"

        if status == "426", do: assert(response =~ "Sec-WebSocket-Version: 13\r\n")
      end
    end
  end

  defp start(variant) do
    Application.stop(:chaos_chat)
    Application.put_env(:chaos_chat, :variant, variant)
    Application.ensure_all_started(:chaos_chat)
    :ok
  end

  defp echo(seq, text), do: ~s({"type":"echo","from":"c","seq":#{seq},"at":1,"text":"#{text}"})

  defp largest_echo, do: echo(3, String.duplicate("x", 65_536 - byte_size(echo(3, ""))))

  defp say(room, from, seq, text \\ "hello"),
    do: ~s({"type":"say","room":"#{room}","from":"#{from}","seq":#{seq},"at":1,"text":"#{text}"})

  defp eventually(check, tries \\ 100) do
    cond do
      check.() -> true
      tries == 0 -> false
      true -> Process.sleep(20) && eventually(check, tries - 1)
    end
  end
end
