defmodule ChaosChat.Listener do
  @moduledoc """
  Owns the listening socket, whose options every accepted socket inherits, and speaks for the acceptors.
  """

  use GenServer

  require Logger

  @options [
    :binary,
    packet: :raw,
    active: false,
    reuseaddr: true,
    # The kernel cuts this down to net.core.somaxconn.
    backlog: 8_192,
    nodelay: true,
    keepalive: true,
    # Kernel memory that a client can tie up by not reading, and by not being read.
    sndbuf: 65_536,
    recbuf: 65_536,
    # One read; only allocated while something arrives. After recbuf, which would raise it.
    buffer: 8_192,
    # The VM's own send queue holds the rest of at most one write: what more there is to say waits as a
    # reference in the mailbox, and what a dying connection loses can be counted (ChaosChat.Outbox).
    high_watermark: 1,
    low_watermark: 0,
    send_timeout: 5_000,
    # A client that has shut down its sending side still gets its answers.
    exit_on_close: false
  ]

  @quiet_ms 10_000

  @spec start_link(host: String.t(), port: :inet.port_number()) :: GenServer.on_start()
  def start_link(options), do: GenServer.start_link(__MODULE__, options, name: __MODULE__)

  @spec socket() :: :gen_tcp.socket()
  def socket, do: GenServer.call(__MODULE__, :socket)

  @doc "Says that nothing can be accepted, but not more often than one can read."
  @spec report_exhausted(atom) :: :ok
  def report_exhausted(reason), do: GenServer.cast(__MODULE__, {:exhausted, reason})

  @spec port() :: :inet.port_number()
  def port do
    {:ok, port} = :inet.port(socket())
    port
  end

  @impl true
  def init(options) do
    host = Keyword.fetch!(options, :host)
    port = Keyword.fetch!(options, :port)

    with {:ok, address} <- resolve(host),
         {:ok, socket} <- :gen_tcp.listen(port, [family(address), {:ip, address} | @options]),
         {:ok, port} <- :inet.port(socket) do
      Logger.info("listening on #{host}:#{port}")
      {:ok, %{socket: socket, quiet_until: System.monotonic_time(:millisecond)}}
    else
      {:error, reason} ->
        {:stop, "cannot listen on #{host}:#{port}: #{:inet.format_error(reason)} (#{reason})"}
    end
  end

  @impl true
  def handle_call(:socket, _from, state), do: {:reply, state.socket, state}

  @impl true
  def handle_cast({:exhausted, reason}, state) do
    now = System.monotonic_time(:millisecond)

    if now < state.quiet_until do
      {:noreply, state}
    else
      Logger.warning("cannot accept: #{:inet.format_error(reason)} (#{reason}); waiting for room")
      {:noreply, %{state | quiet_until: now + @quiet_ms}}
    end
  end

  defp resolve(host) do
    name = String.to_charlist(host)
    with {:error, _} <- :inet.parse_address(name), do: :inet.getaddr(name, :inet)
  end

  defp family(address) when tuple_size(address) == 4, do: :inet
  defp family(address) when tuple_size(address) == 8, do: :inet6
end
