defmodule ChaosChat.Rooms do
  @moduledoc """
  Joining, leaving and broadcasting, over however many servers there are.

  Each room belongs to one server, chosen by its name. So rooms are served at the same time on all
  schedulers, and a broadcast is one call whatever their number.

  A sender never has more than one call under way, which keeps its messages in order at every member and
  bounds the servers' mailboxes by the number of connections. All calls wait without a limit: after a
  timeout the broadcast would still happen, and the sender would have crashed for being behind 25,000
  members.
  """

  @servers ChaosChat.Servers

  @type room :: ChaosChat.Server.room()

  @doc "Makes the calling process a member."
  @spec join(room) :: :ok
  def join(room), do: GenServer.call(server(room), {:join, room}, :infinity)

  @doc "Takes the calling process out of `rooms`, all it is in; afterwards nothing is delivered to it any more."
  @spec leave(Enumerable.t(room)) :: :ok
  def leave(rooms) do
    rooms
    |> Enum.uniq_by(&:erlang.phash2(&1, PartitionSupervisor.partitions(@servers)))
    |> Enum.each(&GenServer.call(server(&1), :leave, :infinity))
  end

  @doc "Sends `{:deliver, count, frames}`, or several of them joined, to every member."
  @spec broadcast(room, pos_integer, binary) :: :ok
  def broadcast(room, count, frames),
    do: GenServer.call(server(room), {:broadcast, room, count, frames}, :infinity)

  defp server(room), do: {:via, PartitionSupervisor, {@servers, room}}
end
