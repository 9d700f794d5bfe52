package main

import (
	"chaoschat/internal/article"
	"chaoschat/internal/stats"
	"chaoschat/internal/tuned"
)

func init() {
	chats["article"] = func(counters *stats.Counters) chat { return article.New(counters) }
	chats["tuned"] = func(counters *stats.Counters) chat { return tuned.New(counters) }
}
