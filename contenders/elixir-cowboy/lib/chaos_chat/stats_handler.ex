defmodule ChaosChat.StatsHandler do
  @moduledoc "GET /stats."

  @behaviour :cowboy_handler

  @impl true
  def init(%{method: "GET"} = request, state) do
    headers = %{"content-type" => "application/json"}
    {:ok, :cowboy_req.reply(200, headers, ChaosChat.Stats.to_json(), request), state}
  end

  def init(request, state) do
    {:ok, :cowboy_req.reply(405, %{"allow" => "GET"}, "only GET", request), state}
  end
end
