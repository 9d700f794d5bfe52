defmodule ChaosChat.Socket do
  @moduledoc """
  One client: Cowboy runs this in the connection's own process, so a fault in it ends this connection and
  no other.
  """

  @behaviour :cowboy_websocket

  alias ChaosChat.{Protocol, Rooms, Stats}

  @options %{
    compress: false,
    # Cowboy would close a client that has been silent for a minute.
    idle_timeout: :infinity,
    max_frame_size: 65_536
  }

  # A missing one is for Cowboy to refuse.
  @no_key "AAAAAAAAAAAAAAAAAAAAAA=="

  # About 10 MB of references, for one client.
  @max_waiting 65_536

  @impl true
  def init(request, state) do
    # Cowboy would also take drafts of the protocol, and any key (RFC 6455, sections 4.2.1 and 4.4).
    version = :cowboy_req.header("sec-websocket-version", request, "13")
    key = :cowboy_req.header("sec-websocket-key", request, @no_key)

    cond do
      version != "13" ->
        headers = %{"upgrade" => "websocket", "sec-websocket-version" => "13"}
        {:ok, :cowboy_req.reply(426, headers, "only version 13", request), state}

      not match?({:ok, <<_::binary-size(16)>>}, Base.decode64(key)) ->
        {:ok, :cowboy_req.reply(400, %{}, "not 16 bytes in Base64", request), state}

      true ->
        {:cowboy_websocket, request, state, @options}
    end
  end

  @impl true
  def websocket_init(_state) do
    # Old binaries are let go early; a long mailbox is not copied by every collection.
    Process.flag(:fullsweep_after, 20)
    Process.flag(:message_queue_data, :off_heap)
    Stats.add(:opened, 1)
    Rooms.enter()
    {[], :open, :hibernate}
  end

  @impl true
  def websocket_handle({:text, text}, state) do
    Stats.add(:received, 1)
    text |> Protocol.parse() |> handle(text, state)
  end

  def websocket_handle({:binary, _bytes}, state), do: {[{:close, 1003, "expected text"}], state}
  # Cowboy has answered.
  def websocket_handle(_ping_or_pong, state), do: {[], state}

  # There is no clause for :crash, on purpose: this is the fault of the contract.
  defp handle(:echo, text, state), do: reply([text], state)

  defp handle({:say, room}, text, state) do
    Rooms.broadcast(room, text)
    {[], state}
  end

  defp handle({:join, room}, _text, state) do
    Rooms.join(room)
    reply([Protocol.joined(room)], state)
  end

  defp handle({:error, reason}, _text, state), do: reply([Protocol.error(reason)], state)

  @impl true
  def websocket_info({:deliver, text}, state) do
    texts = waiting([text])
    if length(texts) > @max_waiting, do: drop(texts, state), else: reply(texts, state)
  end

  def websocket_info(:close, state), do: {[{:close, 1001, "server stops"}], state}
  def websocket_info(_other, state), do: {[], state}

  # All that waits goes to Cowboy at once, which makes one write of it.
  defp waiting(texts) do
    receive do
      {:deliver, text} -> waiting([text | texts])
    after
      0 -> Enum.reverse(texts)
    end
  end

  defp reply(texts, state) do
    Stats.add(:sent, length(texts))
    {Enum.map(texts, &{:text, &1}), state}
  end

  # A client this far behind has not read for long; a close frame would only wait behind it.
  defp drop(texts, state) do
    Stats.add(:dropped, length(texts))
    {[{:shutdown_reason, :too_slow}, :close], state}
  end

  @impl true
  def terminate(_reason, _request, :open) do
    Rooms.leave()
    Stats.add(:dropped, length(waiting([])))
    # Last: who sees one connection fewer may rely on what it was owed being counted.
    Stats.add(:closed, 1)
  end

  def terminate(_reason, _request, _not_upgraded), do: :ok
end
