defmodule ChaosChat.Rooms do
  @moduledoc """
  Joining, leaving and broadcasting, over however many servers there are.

  Each connection belongs to one server, chosen by its pid, and each server sends to its own members
  only. With one server (the default variant) that is the article's design; with one per scheduler
  (`tuned`) the servers send at the same time.

  A broadcast returns when every server has sent it. So a sender never has more than one under way,
  which keeps its messages in order at every member and bounds the servers' mailboxes by the number of
  connections. All calls wait without a limit: after a timeout the broadcast would still happen, and
  the sender would have crashed for being behind 25,000 members.
  """

  @servers ChaosChat.Servers

  @doc "Makes the calling process a member."
  @spec join(ChaosChat.Server.room()) :: :ok
  def join(room), do: GenServer.call(server(self()), {:join, room}, :infinity)

  @doc "Takes the calling process out of all its rooms; afterwards nothing is delivered to it any more."
  @spec leave() :: :ok
  def leave, do: GenServer.call(server(self()), :leave, :infinity)

  @doc "Sends `{:deliver, frame}` to every member."
  @spec broadcast(ChaosChat.Server.room(), binary) :: :ok
  def broadcast(room, frame) do
    request = {:broadcast, room, frame}

    case PartitionSupervisor.partitions(@servers) do
      1 -> GenServer.call(server(0), request, :infinity)
      count -> broadcast_to_all(count, request)
    end
  end

  defp broadcast_to_all(count, request) do
    requests = for index <- 0..(count - 1), do: :gen_server.send_request(server(index), request)
    Enum.each(requests, fn id -> {:reply, :ok} = :gen_server.receive_response(id, :infinity) end)
  end

  defp server(key), do: {:via, PartitionSupervisor, {@servers, key}}
end
