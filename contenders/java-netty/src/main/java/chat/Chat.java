package chat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Rooms, their members, and what became of every message. */
final class Chat {
  private final Set<Channel> channels = ConcurrentHashMap.newKeySet();
  private final ConcurrentMap<String, Set<Channel>> rooms = new ConcurrentHashMap<>();
  private final LongAdder received = new LongAdder();
  private final LongAdder sent = new LongAdder();
  private final LongAdder dropped = new LongAdder();

  /**
   * One listener for all messages. A write is done when the kernel has all of it, and fails with
   * its channel.
   */
  private final ChannelFutureListener counter =
      future -> (future.isSuccess() ? sent : dropped).increment();

  void open(Channel channel) {
    channels.add(channel);
  }

  void close(Channel channel, Set<String> joined) {
    for (String room : joined) {
      // A room ends with its last member.
      rooms.computeIfPresent(
          room,
          (name, members) -> {
            members.remove(channel);
            return members.isEmpty() ? null : members;
          });
    }
    channels.remove(channel);
  }

  void received() {
    received.increment();
  }

  void join(Channel channel, String room) {
    rooms.compute(
        room,
        (name, members) -> {
          Set<Channel> all = members == null ? ConcurrentHashMap.newKeySet() : members;
          all.add(channel);
          return all;
        });
  }

  /** Writes a message, which it takes over, without a flush. */
  void send(Channel channel, ByteBuf text) {
    if (!channel.isWritable() && channel.isActive()) {
      // More than the high water mark waits. What has been written fails, and is counted as
      // dropped.
      channel.close();
    }
    channel.write(new TextWebSocketFrame(text)).addListener(counter);
  }

  /**
   * Sends the same bytes to all members. Each member's event loop takes its writes in order, so the
   * messages of one sender keep theirs; the flushes of all that is said at once are made one by
   * FlushConsolidationHandler.
   */
  void say(String room, ByteBuf text) {
    Set<Channel> members = rooms.get(room);
    if (members == null) return;
    for (Channel member : members) {
      send(member, text.retainedDuplicate());
      member.flush();
    }
  }

  void closeAll() {
    for (Channel channel : channels) {
      channel.writeAndFlush(new CloseWebSocketFrame(WebSocketCloseStatus.ENDPOINT_UNAVAILABLE));
    }
  }

  void awaitEmpty(long time, TimeUnit unit) throws InterruptedException {
    long end = System.nanoTime() + unit.toNanos(time);
    while (!channels.isEmpty() && System.nanoTime() < end) Thread.sleep(10);
  }

  String stats() {
    return ("{\"connections\":%d,\"received\":%d,\"sent\":%d,\"dropped\":%d,"
            + "\"majorCollections\":%d,\"collectorMs\":%d}")
        .formatted(
            channels.size(),
            received.sum(),
            sent.sum(),
            dropped.sum(),
            majorCollections(),
            collectorMs());
  }

  /** Of whichever collector the machine's size has chosen. */
  private static long majorCollections() {
    long count = 0;
    for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
      count +=
          switch (bean.getName()) {
            case "MarkSweepCompact", "PS MarkSweep", "G1 Old Generation", "ZGC Major Cycles" ->
                bean.getCollectionCount();
            // Remark and cleanup count as one each, and a cycle has both.
            case "G1 Concurrent GC" -> bean.getCollectionCount() / 2;
            default -> 0;
          };
    }
    return count;
  }

  private static long collectorMs() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(GarbageCollectorMXBean::getCollectionTime)
        .filter(ms -> ms > 0)
        .sum();
  }
}
