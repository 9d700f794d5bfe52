defmodule ChaosChat.Application do
  @moduledoc """
  A registry of who is in which room, and Cowboy's listener.
  """

  use Application

  require Logger

  alias ChaosChat.{Rooms, Socket, Stats, StatsHandler}

  @listener ChaosChat.Listener
  @close_wait_ms 3_000

  @impl true
  def start(_type, _args) do
    Stats.init()
    {:ok, supervisor} = Supervisor.start_link([Rooms], strategy: :one_for_one)
    listen()
    {:ok, supervisor}
  end

  # Before the supervisors stop: nobody is accepted any more, and every client is told.
  @impl true
  def prep_stop(state) do
    :ok = :ranch.suspend_listener(@listener)
    Rooms.close_all()
    await_empty(System.monotonic_time(:millisecond) + @close_wait_ms)
    :ok = :cowboy.stop_listener(@listener)
    state
  end

  defp listen do
    host = Application.fetch_env!(:chaos_chat, :host)
    port = Application.fetch_env!(:chaos_chat, :port)
    {:ok, address} = :inet.getaddr(String.to_charlist(host), :inet)

    dispatch = :cowboy_router.compile([{:_, [{"/ws", Socket, []}, {"/stats", StatsHandler, []}]}])

    transport = %{
      # The kernel cuts the backlog down to net.core.somaxconn.
      socket_opts: [ip: address, port: port, backlog: 4_096, nodelay: true],
      num_acceptors: 32,
      max_connections: :infinity
    }

    {:ok, _pid} = :cowboy.start_clear(@listener, transport, %{env: %{dispatch: dispatch}})
    {:ok, version} = :application.get_key(:cowboy, :vsn)
    Logger.info("Cowboy #{version} on #{host}:#{port}")
  end

  defp await_empty(deadline) do
    if Stats.connections() > 0 and System.monotonic_time(:millisecond) < deadline do
      Process.sleep(10)
      await_empty(deadline)
    end
  end
end
