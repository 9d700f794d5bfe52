defmodule ChaosChat.Server do
  @moduledoc """
  Holds who is in which room and sends the broadcasts of a room to its members.

  It takes all broadcasts that wait, and sends each member of a room one message with all their frames,
  as RabbitMQ's `gen_batch_server` does. Sent one by one, each would wake every member for a single
  frame, and every member would write to its socket for it. How long it waits for more is 0 ms: until
  its mailbox is empty. A batch is bounded all the same, because a sender waits for its answer.

  Frames are joined into one binary. Over 64 bytes a binary is shared by reference, so each member
  costs one small message, however many frames and bytes there are.

  With `batch_bytes` 0 every broadcast is sent by itself: the article's GenServer.

  Members are monitored: a connection leaves its rooms even when it dies without a word.
  """

  use GenServer

  @type room :: String.t()

  # `rooms`: name to its members and, once it was needed, the list of them.
  # `waiting`: broadcasts that are not sent yet, newest first.
  defstruct [:batch_bytes, rooms: %{}, members: %{}, waiting: [], bytes: 0]

  @spec start_link(non_neg_integer) :: GenServer.on_start()
  def start_link(batch_bytes), do: GenServer.start_link(__MODULE__, batch_bytes)

  @impl true
  # A mailbox of thousands of broadcasts outside the heap is not copied by every collection.
  def init(batch_bytes) do
    Process.flag(:message_queue_data, :off_heap)
    {:ok, %__MODULE__{batch_bytes: batch_bytes}}
  end

  @impl true
  def handle_call({:broadcast, room, count, frames}, from, server) do
    bytes = server.bytes + byte_size(frames)
    server = %{server | waiting: [{room, count, frames, from} | server.waiting], bytes: bytes}
    if bytes < server.batch_bytes, do: {:noreply, server, 0}, else: {:noreply, deliver(server)}
  end

  def handle_call({:join, room}, {connection, _tag}, server) do
    {:reply, :ok, server |> deliver() |> add(room, connection)}
  end

  # Once answered, nothing more comes from here: messages between two processes keep their order.
  def handle_call(:leave, {connection, _tag}, server) do
    {:reply, :ok, server |> deliver() |> remove(connection)}
  end

  @impl true
  # Nothing else is in the mailbox.
  def handle_info(:timeout, server), do: {:noreply, deliver(server)}

  def handle_info({:DOWN, _monitor, :process, connection, _reason}, server) do
    {:noreply, server |> deliver() |> remove(connection)}
  end

  defp deliver(%{waiting: []} = server), do: server

  defp deliver(%{waiting: waiting} = server) do
    rooms =
      waiting
      |> Enum.reverse()
      |> Enum.group_by(fn {room, _count, _frames, _from} -> room end)
      |> Enum.reduce(server.rooms, fn {room, broadcasts}, rooms ->
        case rooms do
          %{^room => members} -> %{rooms | room => send_all(members, broadcasts)}
          %{} -> rooms
        end
      end)

    for {_room, _count, _frames, from} <- waiting, do: GenServer.reply(from, :ok)
    %{server | rooms: rooms, waiting: [], bytes: 0}
  end

  defp send_all({members, nil}, broadcasts),
    do: send_all({members, MapSet.to_list(members)}, broadcasts)

  defp send_all({_members, list} = room, broadcasts) do
    message = join(broadcasts)
    Enum.each(list, &send(&1, message))
    room
  end

  defp join([{_room, count, frames, _from}]), do: {:deliver, count, frames}

  defp join(broadcasts) do
    count = Enum.sum(for {_room, count, _frames, _from} <- broadcasts, do: count)
    frames = for {_room, _count, frames, _from} <- broadcasts, do: frames
    {:deliver, count, IO.iodata_to_binary(frames)}
  end

  defp add(server, room, connection) do
    {monitor, joined} =
      Map.get_lazy(server.members, connection, fn ->
        {Process.monitor(connection), MapSet.new()}
      end)

    {members, _list} = Map.get(server.rooms, room, {MapSet.new(), nil})

    %{
      server
      | rooms: Map.put(server.rooms, room, {MapSet.put(members, connection), nil}),
        members: Map.put(server.members, connection, {monitor, MapSet.put(joined, room)})
    }
  end

  defp remove(server, connection) do
    case Map.pop(server.members, connection) do
      {nil, _members} ->
        server

      {{monitor, joined}, members} ->
        Process.demonitor(monitor, [:flush])
        rooms = Enum.reduce(joined, server.rooms, &remove(&2, &1, connection))
        %{server | rooms: rooms, members: members}
    end
  end

  # A room ends with its last member; otherwise made-up names would pile up.
  defp remove(rooms, room, connection) do
    {members, _list} = Map.fetch!(rooms, room)
    members = MapSet.delete(members, connection)

    if MapSet.size(members) == 0,
      do: Map.delete(rooms, room),
      else: Map.put(rooms, room, {members, nil})
  end
end
