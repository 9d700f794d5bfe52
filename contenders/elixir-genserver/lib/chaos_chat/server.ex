defmodule ChaosChat.Server do
  @moduledoc """
  Holds who is in which room and sends every broadcast to them: the article's GenServer.

  A broadcast is framed once by its sender. A binary of more than 64 bytes is shared by reference, so
  each member's process costs one small message, whatever the size of the text.

  Members are monitored: a connection leaves its rooms even when it dies without a word.
  """

  use GenServer

  @type room :: String.t()

  defstruct rooms: %{}, members: %{}

  def start_link(_options), do: GenServer.start_link(__MODULE__, [])

  @impl true
  # A mailbox of thousands of broadcasts outside the heap is not copied by every collection.
  def init([]) do
    Process.flag(:message_queue_data, :off_heap)
    {:ok, %__MODULE__{}}
  end

  @impl true
  def handle_call({:broadcast, room, frame}, _from, server) do
    message = {:deliver, frame}

    server.rooms
    |> Map.get(room, %{})
    |> Map.keys()
    |> Enum.each(&send(&1, message))

    {:reply, :ok, server}
  end

  def handle_call({:join, room}, {connection, _tag}, server) do
    {monitor, joined} =
      Map.get_lazy(server.members, connection, fn -> {Process.monitor(connection), %{}} end)

    rooms = Map.update(server.rooms, room, %{connection => []}, &Map.put(&1, connection, []))

    members = Map.put(server.members, connection, {monitor, Map.put(joined, room, [])})
    {:reply, :ok, %{server | rooms: rooms, members: members}}
  end

  # Once answered, nothing more comes from here: messages between two processes keep their order.
  def handle_call(:leave, {connection, _tag}, server) do
    {:reply, :ok, remove(server, connection)}
  end

  @impl true
  def handle_info({:DOWN, _monitor, :process, connection, _reason}, server) do
    {:noreply, remove(server, connection)}
  end

  defp remove(server, connection) do
    case Map.pop(server.members, connection) do
      {nil, _members} ->
        server

      {{monitor, joined}, members} ->
        Process.demonitor(monitor, [:flush])
        rooms = joined |> Map.keys() |> Enum.reduce(server.rooms, &remove(&2, &1, connection))
        %{server | rooms: rooms, members: members}
    end
  end

  # A room ends with its last member; otherwise made-up names would pile up.
  defp remove(rooms, room, connection) do
    case Map.delete(Map.fetch!(rooms, room), connection) do
      empty when map_size(empty) == 0 -> Map.delete(rooms, room)
      members -> Map.put(rooms, room, members)
    end
  end
end
