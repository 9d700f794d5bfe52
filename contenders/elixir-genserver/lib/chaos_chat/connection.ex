defmodule ChaosChat.Connection do
  @moduledoc """
  The process of one client: handshake, then messages, then the closing handshake.

  Nothing here is shared, so a fault in it ends this connection and no other.

  While it writes to a client that does not read, it waits (`send_timeout`), and what is due to the
  client waits in its mailbox. Past either limit, time or number, the connection is dropped.
  """

  use GenServer, restart: :temporary, shutdown: 2_000

  alias ChaosChat.{Handshake, Outbox, Protocol, Rooms, Stats}
  alias ChaosChat.WebSocket.{Frame, Stream}

  defmodule Settings do
    @moduledoc """
    How much is collected before it is passed on (`batch_bytes`,
    0 for each message by itself), how much of a message is looked at, where mailboxes are kept, and
    how many WebSocket connections may be open.
    """
    @enforce_keys [:batch_bytes, :routing, :mailbox, :connections]
    defstruct @enforce_keys

    @type t :: %__MODULE__{
            batch_bytes: non_neg_integer,
            routing: ChaosChat.Protocol.routing(),
            mailbox: :on_heap | :off_heap,
            connections: pos_integer
          }
  end

  # Reads until the socket pauses by itself: bounds what can pile up while the process waits.
  @active 32
  @handshake_timeout_ms 10_000
  # How long a closed connection waits for the client's end, so that no reset overtakes the last words.
  @linger_ms 1_000
  @hibernate_after_ms 10_000
  # About 10 MB of references, for one client.
  @max_waiting 65_536

  # `said`: what the client said to one room and is not broadcast yet, as `{room, count, frames}`.
  defstruct [
    :socket,
    :settings,
    :outbox,
    :timer,
    said: nil,
    rooms: MapSet.new(),
    phase: :handshake,
    head: "",
    stream: %Stream{}
  ]

  @spec start_link({:gen_tcp.socket(), Settings.t()}) :: GenServer.on_start()
  def start_link({_socket, settings} = argument) do
    GenServer.start_link(__MODULE__, argument,
      hibernate_after: @hibernate_after_ms,
      # Old binaries are let go early.
      spawn_opt: [fullsweep_after: 20, message_queue_data: settings.mailbox]
    )
  end

  @doc "To be called by whoever made the connection the owner of its socket."
  @spec begin(pid) :: :ok
  def begin(connection) do
    send(connection, :begin)
    :ok
  end

  @impl true
  def init({socket, settings}) do
    # So that terminate/2 runs when the server stops, and says goodbye.
    Process.flag(:trap_exit, true)

    {:ok,
     %__MODULE__{
       socket: socket,
       settings: settings,
       outbox: %Outbox{socket: socket, batch_bytes: settings.batch_bytes},
       timer: Process.send_after(self(), :handshake_timeout, @handshake_timeout_ms)
     }}
  end

  @impl true
  def handle_info({:tcp, _socket, bytes}, %{phase: :open} = state) do
    receive_messages(%{state | stream: Stream.push(state.stream, bytes)})
  end

  def handle_info({:deliver, count, frames}, %{phase: :open} = state) do
    [{count, frames}] |> waiting(count) |> deliver(state) |> settle()
  end

  def handle_info({:tcp, _socket, bytes}, %{phase: :handshake} = state) do
    head = state.head <> bytes

    case Handshake.parse(head) do
      :more -> {:noreply, %{state | head: head}}
      :stats -> respond(state, Handshake.response(200, json(), Stats.to_json()))
      {:refuse, response} -> respond(state, response)
      {:upgrade, response, rest} -> upgrade(%{state | head: ""}, response, rest)
    end
  end

  # RFC 6455, section 1.4: data behind a close frame is ignored.
  def handle_info({:tcp, _socket, _bytes}, %{phase: :closing} = state), do: {:noreply, state}

  def handle_info({:deliver, count, _frames}, state) do
    Stats.add(:dropped, count)
    {:noreply, state}
  end

  def handle_info({:tcp_passive, _socket}, state), do: read_on(state)
  def handle_info(:begin, state), do: read_on(state)

  def handle_info({:tcp_closed, _socket}, state), do: {:stop, {:shutdown, :closed}, state}

  def handle_info({:tcp_error, _socket, reason}, state), do: {:stop, {:shutdown, reason}, state}

  def handle_info(:handshake_timeout, %{phase: :handshake} = state),
    do: respond(state, Handshake.response(408, [], ""))

  def handle_info(:handshake_timeout, state), do: {:noreply, state}
  def handle_info(:linger_timeout, state), do: {:stop, {:shutdown, :lingered}, state}

  # The socket's own end, which :tcp_closed and :tcp_error have told or will tell.
  def handle_info({:EXIT, port, _reason}, state) when is_port(port), do: {:noreply, state}

  @impl true
  def terminate(:shutdown, %{phase: :open} = state) do
    state.outbox
    |> Outbox.control(Frame.encode_close(1001, "server stops"))
    |> Outbox.give_up(:shutdown)
  end

  def terminate(_reason, state) do
    if state.phase == :open, do: Rooms.leave(state.rooms)
    {count, _batches} = waiting([], 0)
    Stats.add(:dropped, count)
    # Last: who sees one connection fewer may rely on what it was owed being counted.
    if state.phase == :open, do: Stats.add(:closed, 1)
    Outbox.give_up(state.outbox, :closed)
  end

  defp read_on(state) do
    case :inet.setopts(state.socket, active: @active) do
      :ok -> {:noreply, state}
      {:error, reason} -> {:stop, {:shutdown, reason}, state}
    end
  end

  ## Handshake

  defp upgrade(state, response, rest) do
    if Stats.connections() < state.settings.connections do
      Process.cancel_timer(state.timer)
      Stats.add(:opened, 1)
      state = %{state | phase: :open, timer: nil, stream: Stream.push(state.stream, rest)}

      case :gen_tcp.send(state.socket, response) do
        :ok -> state |> receive_messages() |> hibernate()
        {:error, reason} -> {:stop, {:shutdown, reason}, state}
      end
    else
      respond(state, Handshake.response(503, [], "out of file descriptors\n"))
    end
  end

  # Most connections say nothing for a while after the upgrade: give its garbage back at once.
  defp hibernate({:noreply, state}), do: {:noreply, state, :hibernate}
  defp hibernate(stop), do: stop

  defp json, do: [{"Content-Type", "application/json"}]

  defp respond(state, response) do
    case :gen_tcp.send(state.socket, response) do
      :ok -> linger(state)
      {:error, reason} -> {:stop, {:shutdown, reason}, state}
    end
  end

  ## From the client

  defp receive_messages(state) do
    {event, stream} = Stream.next(state.stream)
    state = %{state | stream: stream}

    case event do
      {:text, text} ->
        Stats.add(:received, 1)

        text
        |> Protocol.parse(state.settings.routing)
        |> handle(text, state)
        |> receive_messages()

      :more ->
        state |> broadcast() |> flush() |> settle()

      {:ping, payload} ->
        state |> control(Frame.encode(:pong, payload)) |> receive_messages()

      {:close, code} ->
        state |> broadcast() |> control(Frame.encode_close(code)) |> close()

      {:fail, code, reason} ->
        state |> broadcast() |> control(Frame.encode_close(code, reason)) |> close()
    end
  end

  # What arrived in one read may be collected. Joining takes long, and a crash is the end: they hold up
  # nothing that is due.
  defp handle(:echo, text, state), do: push(state, Frame.encode(:text, text))
  defp handle({:say, room}, text, state), do: say(state, room, Frame.encode(:text, text))

  defp handle({:error, reason}, _text, state),
    do: push(state, Frame.encode(:text, Protocol.error(reason)))

  defp handle(message, _text, state), do: obey(message, state |> broadcast() |> flush())

  # There is no clause for :crash, on purpose: this is the fault of the contract.
  defp obey({:join, room}, state) do
    Rooms.join(room)

    push(
      %{state | rooms: MapSet.put(state.rooms, room)},
      Frame.encode(:text, Protocol.joined(room))
    )
  end

  defp say(%{said: {room, count, frames}} = state, room, frame),
    do: collect(state, room, count + 1, frames <> frame)

  defp say(state, room, frame), do: state |> broadcast() |> collect(room, 1, frame)

  defp collect(state, room, count, frames) do
    state = %{state | said: {room, count, frames}}
    if byte_size(frames) < state.settings.batch_bytes, do: state, else: broadcast(state)
  end

  defp broadcast(%{said: nil} = state), do: state

  # A sender first takes what is due to itself: it would otherwise add to the mailboxes of a room that
  # is behind, and let its own grow with it.
  defp broadcast(%{said: {room, count, frames}} = state) do
    state = [] |> waiting(0) |> deliver(flush(state))
    Rooms.broadcast(room, count, frames)
    %{state | said: nil}
  end

  ## To the client

  # Everything that waits in the mailbox, and not only what one write takes: before OTP 26 the VM looks
  # through the whole mailbox for the answer to each write, so a long one would make each write slow.
  defp waiting(batches, total) do
    receive do
      {:deliver, count, frames} -> waiting([{count, frames} | batches], total + count)
    after
      0 -> {total, Enum.reverse(batches)}
    end
  end

  defp deliver({total, batches}, state) do
    outbox =
      if total > @max_waiting,
        do: state.outbox |> Outbox.flush() |> Outbox.give_up(:too_slow),
        else: state.outbox

    push = fn {count, frames}, outbox -> Outbox.push(outbox, count, frames) end
    flush(%{state | outbox: Enum.reduce(batches, outbox, push)})
  end

  defp push(state, frame), do: %{state | outbox: Outbox.push(state.outbox, 1, frame)}
  defp flush(state), do: %{state | outbox: Outbox.flush(state.outbox)}
  defp control(state, frame), do: %{state | outbox: Outbox.control(state.outbox, frame)}

  defp settle(%{outbox: %{failed: nil}} = state), do: {:noreply, state}
  defp settle(%{outbox: %{failed: reason}} = state), do: {:stop, {:shutdown, reason}, state}

  ## The end

  defp close(%{outbox: %{failed: nil}} = state), do: linger(state)
  defp close(state), do: settle(state)

  defp linger(state) do
    leave(state)
    :gen_tcp.shutdown(state.socket, :write)
    Process.send_after(self(), :linger_timeout, @linger_ms)
    {:noreply, %{state | phase: :closing, stream: %Stream{}}}
  end

  defp leave(%{phase: :open} = state) do
    Stats.add(:closed, 1)
    Rooms.leave(state.rooms)
  end

  defp leave(_state), do: :ok
end
