defmodule ChaosChat.Stats do
  @moduledoc """
  The counters behind `/stats`.

  Lock-free and spread over the schedulers, so that counting costs nanoseconds and no process is in
  the way. Connections are kept as opened and closed, because each part may be read at a slightly
  different moment, and only what never shrinks can be read that way.
  """

  @keys [:received, :sent, :dropped, :opened, :closed]

  @type key :: :received | :sent | :dropped | :opened | :closed

  @spec init() :: :ok
  def init,
    do: :persistent_term.put(__MODULE__, :counters.new(length(@keys), [:write_concurrency]))

  @spec add(key, non_neg_integer) :: :ok
  def add(key, count), do: :counters.add(:persistent_term.get(__MODULE__), index(key), count)

  @doc "How many WebSocket connections are open."
  @spec connections() :: non_neg_integer
  def connections do
    closed = get(:closed)
    max(get(:opened) - closed, 0)
  end

  @doc "The body of `/stats`."
  @spec to_json() :: String.t()
  def to_json do
    ~s({"connections":#{connections()},"received":#{get(:received)},) <>
      ~s("sent":#{get(:sent)},"dropped":#{get(:dropped)}})
  end

  @spec get(key) :: non_neg_integer
  def get(key), do: :counters.get(:persistent_term.get(__MODULE__), index(key))

  for {key, index} <- Enum.with_index(@keys, 1) do
    defp index(unquote(key)), do: unquote(index)
  end
end
