package chat;

import static io.netty.handler.codec.http.HttpHeaderNames.ALLOW;
import static io.netty.handler.codec.http.HttpHeaderNames.CONTENT_LENGTH;
import static io.netty.handler.codec.http.HttpHeaderNames.CONTENT_TYPE;
import static io.netty.handler.codec.http.HttpHeaderNames.SEC_WEBSOCKET_KEY;
import static io.netty.handler.codec.http.HttpHeaderNames.SEC_WEBSOCKET_VERSION;
import static io.netty.handler.codec.http.HttpHeaderNames.UPGRADE;
import static io.netty.handler.codec.http.HttpVersion.HTTP_1_1;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Answers all that is no upgrade; a good upgrade goes on to Netty's own handler. */
final class HttpHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Pattern KEY = Pattern.compile("[A-Za-z0-9+/]{22}==");

  private final Chat chat;

  HttpHandler(Chat chat) {
    this.chat = chat;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
    if (!request.decoderResult().isSuccess()) {
      respond(ctx, HttpResponseStatus.BAD_REQUEST, "not HTTP");
      return;
    }
    boolean get = request.method().equals(HttpMethod.GET);
    switch (new QueryStringDecoder(request.uri()).path()) {
      case "/stats" -> {
        if (get) respond(ctx, HttpResponseStatus.OK, chat.stats());
        else respond(ctx, HttpResponseStatus.METHOD_NOT_ALLOWED, "only GET");
      }
      case "/ws" -> {
        if (!get) respond(ctx, HttpResponseStatus.METHOD_NOT_ALLOWED, "only GET");
        else upgrade(ctx, request);
      }
      default -> respond(ctx, HttpResponseStatus.NOT_FOUND, "only /ws and /stats");
    }
  }

  private void upgrade(ChannelHandlerContext ctx, FullHttpRequest request) {
    String key = request.headers().get(SEC_WEBSOCKET_KEY);
    boolean webSocket = request.headers().containsValue(UPGRADE, "websocket", true);
    if (!webSocket || !"13".equals(request.headers().get(SEC_WEBSOCKET_VERSION))) {
      respond(ctx, HttpResponseStatus.UPGRADE_REQUIRED, "only WebSocket, version 13");
    } else if (key == null || !KEY.matcher(key).matches()) {
      respond(ctx, HttpResponseStatus.BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in Base64");
    } else {
      ctx.fireChannelRead(request.retain());
    }
  }

  private static void respond(ChannelHandlerContext ctx, HttpResponseStatus status, String body) {
    ByteBuf content = Unpooled.copiedBuffer(body, StandardCharsets.UTF_8);
    FullHttpResponse response = new DefaultFullHttpResponse(HTTP_1_1, status, content);
    response.headers().set(CONTENT_TYPE, status.code() == 200 ? "application/json" : "text/plain");
    response.headers().setInt(CONTENT_LENGTH, content.readableBytes());
    if (status.equals(HttpResponseStatus.METHOD_NOT_ALLOWED)) response.headers().set(ALLOW, "GET");
    if (status.equals(HttpResponseStatus.UPGRADE_REQUIRED)) {
      response.headers().set(UPGRADE, "websocket").set(SEC_WEBSOCKET_VERSION, "13");
    }
    HttpUtil.setKeepAlive(response, false);
    ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
  }
}
