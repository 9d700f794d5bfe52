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

  defmodule Limits do
    @moduledoc "Frames per write (`batch`), and how many WebSocket connections may be open."
    @enforce_keys [:batch, :connections]
    defstruct @enforce_keys
    @type t :: %__MODULE__{batch: pos_integer, connections: pos_integer}
  end

  # Reads until the socket pauses by itself: bounds what can pile up while the process waits.
  @active 32
  @handshake_timeout_ms 10_000
  # How long a closed connection waits for the client's end, so that no reset overtakes the last words.
  @linger_ms 1_000
  @hibernate_after_ms 10_000
  # About 10 MB of references, for one client.
  @max_waiting 65_536

  defstruct [:socket, :limits, :outbox, :timer, phase: :handshake, head: "", stream: %Stream{}]

  @spec start_link({:gen_tcp.socket(), Limits.t()}) :: GenServer.on_start()
  def start_link(argument) do
    GenServer.start_link(__MODULE__, argument,
      hibernate_after: @hibernate_after_ms,
      # Old binaries are let go early; a long mailbox is not copied by every collection.
      spawn_opt: [fullsweep_after: 20, message_queue_data: :off_heap]
    )
  end

  @doc "To be called by whoever made the connection the owner of its socket."
  @spec begin(pid) :: :ok
  def begin(connection) do
    send(connection, :begin)
    :ok
  end

  @impl true
  def init({socket, limits}) do
    # So that terminate/2 runs when the server stops, and says goodbye.
    Process.flag(:trap_exit, true)

    {:ok,
     %__MODULE__{
       socket: socket,
       limits: limits,
       outbox: %Outbox{socket: socket, batch: limits.batch},
       timer: Process.send_after(self(), :handshake_timeout, @handshake_timeout_ms)
     }}
  end

  @impl true
  def handle_info({:tcp, _socket, bytes}, %{phase: :open} = state) do
    receive_messages(%{state | stream: Stream.push(state.stream, bytes)})
  end

  def handle_info({:deliver, frame}, %{phase: :open} = state) do
    [frame] |> waiting(1) |> deliver(state) |> settle()
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

  def handle_info({:deliver, _frame}, state) do
    Stats.add(:dropped, 1)
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
    if state.phase == :open, do: Rooms.leave()
    {count, _frames} = waiting([], 0)
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
    if Stats.connections() < state.limits.connections do
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
        text |> Protocol.parse() |> handle(text, state) |> receive_messages()

      :more ->
        state |> flush() |> settle()

      {:ping, payload} ->
        state |> control(Frame.encode(:pong, payload)) |> receive_messages()

      {:close, code} ->
        state |> control(Frame.encode_close(code)) |> close()

      {:fail, code, reason} ->
        state |> control(Frame.encode_close(code, reason)) |> close()
    end
  end

  # Echoes may be collected. Anything else may take long or fail, and holds up nothing that is due.
  defp handle(:echo, text, state), do: push(state, Frame.encode(:text, text))
  defp handle(message, text, state), do: answer(message, text, flush(state))

  # There is no clause for :crash, on purpose: this is the fault of the contract.
  defp answer({:say, room}, text, state) do
    # A sender first takes what is due to itself: it would otherwise add to the mailboxes of a room
    # that is behind, and let its own grow with it.
    state = [] |> waiting(0) |> deliver(state)
    Rooms.broadcast(room, Frame.encode(:text, text))
    state
  end

  defp answer({:join, room}, _text, state) do
    Rooms.join(room)
    push(state, Frame.encode(:text, Protocol.joined(room)))
  end

  defp answer({:error, reason}, _text, state),
    do: push(state, Frame.encode(:text, Protocol.error(reason)))

  ## To the client

  # Everything that waits in the mailbox, and not only what the batch takes: the VM looks through the
  # whole mailbox for the answer to each write, so a long one would make each write slow.
  defp waiting(frames, count) do
    receive do
      {:deliver, frame} -> waiting([frame | frames], count + 1)
    after
      0 -> {count, Enum.reverse(frames)}
    end
  end

  defp deliver({count, frames}, state) do
    outbox =
      if count > @max_waiting,
        do: state.outbox |> Outbox.flush() |> Outbox.give_up(:too_slow),
        else: state.outbox

    flush(%{state | outbox: Enum.reduce(frames, outbox, &Outbox.push(&2, &1))})
  end

  defp push(state, frame), do: %{state | outbox: Outbox.push(state.outbox, frame)}
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

  defp leave(%{phase: :open}) do
    Stats.add(:closed, 1)
    Rooms.leave()
  end

  defp leave(_state), do: :ok
end
