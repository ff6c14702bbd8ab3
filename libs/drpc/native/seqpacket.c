// AF_UNIX SOCK_SEQPACKET for Node: thin, non-blocking system calls and one uv_poll per socket. Queues, limits and
// policy are in TypeScript (src/packet-socket.ts). Errors are thrown with `code` set to the errno's name.
//
// SPDX-License-Identifier: Apache-2.0
#define NAPI_VERSION 8
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#define RECV_WOULD_BLOCK (-1)
#define RECV_END (-2)

typedef struct {
  uv_poll_t poll;
  napi_env env;
  napi_ref on_event;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  int fd;   // -1 once closed
  int refs; // held by the poll handle, until libuv has let go of it, and by the JavaScript value
} packet_socket;

static napi_value fail(napi_env env, const char *call, int error) {
  char text[160];
  snprintf(text, sizeof(text), "%s: %s", call, uv_strerror(-error));
  napi_throw_error(env, uv_err_name(-error), text);
  return NULL;
}

static void unref(packet_socket *s) {
  if (--s->refs == 0) free(s);
}

static void on_poll_closed(uv_handle_t *handle) {
  packet_socket *s = handle->data;
  if (s->cleanup != NULL) napi_remove_async_cleanup_hook(s->cleanup);
  unref(s);
}

// Idempotent. libuv allows the descriptor to be closed as soon as uv_close has been called.
static void close_socket(packet_socket *s) {
  if (s->fd < 0) return;
  uv_close((uv_handle_t *)&s->poll, on_poll_closed);
  close(s->fd);
  s->fd = -1;
  if (s->on_event != NULL) napi_delete_reference(s->env, s->on_event);
  if (s->context != NULL) napi_async_destroy(s->env, s->context);
  s->on_event = NULL;
  s->context = NULL;
}

// A worker or process that ends with open sockets.
static void on_env_cleanup(napi_async_cleanup_hook_handle handle, void *data) {
  packet_socket *s = data;
  s->cleanup = handle;
  close_socket(s);
}

static void on_finalize(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  close_socket(data);
  unref(data);
}

// Takes over the descriptor: on failure it is closed and an exception is pending.
static napi_value adopt(napi_env env, int fd) {
  uv_loop_t *loop;
  packet_socket *s = calloc(1, sizeof(*s));
  int status = s == NULL || napi_get_uv_event_loop(env, &loop) != napi_ok ? UV_ENOMEM : uv_poll_init(loop, &s->poll, fd);
  if (status != 0) {
    free(s);
    close(fd);
    return fail(env, "poll", -status);
  }
  s->env = env;
  s->fd = fd;
  s->refs = 2;
  s->poll.data = s;
  napi_value value;
  if (napi_add_async_cleanup_hook(env, on_env_cleanup, s, &s->cleanup) != napi_ok) s->cleanup = NULL;
  if (s->cleanup == NULL || napi_create_external(env, s, on_finalize, NULL, &value) != napi_ok) {
    close_socket(s);
    unref(s);
    return fail(env, "poll", ENOMEM);
  }
  return value;
}

static napi_value number(napi_env env, int64_t n) {
  napi_value value = NULL;
  napi_create_int64(env, n, &value);
  return value;
}

// The arguments, the first of them as an open socket; NULL with an exception pending when it is not one.
static packet_socket *arguments(napi_env env, napi_callback_info info, size_t count, napi_value *argv) {
  packet_socket *s = NULL;
  size_t argc = count;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < count ||
      napi_get_value_external(env, argv[0], (void **)&s) != napi_ok || s == NULL || s->fd < 0) {
    fail(env, "packet socket", EBADF);
    return NULL;
  }
  return s;
}

static int read_path(napi_env env, napi_value value, char *path, size_t size) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return EINVAL;
  if (length == 0 || length >= size) return ENAMETOOLONG;
  napi_get_value_string_utf8(env, value, path, size, &length);
  return strlen(path) == length ? 0 : EINVAL;
}

static int new_socket(void) { return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// connect(path) -> socket
static napi_value js_connect(napi_env env, napi_callback_info info) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  napi_value argv[1];
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  int error = read_path(env, argv[0], address.sun_path, sizeof(address.sun_path));
  if (error != 0) return fail(env, "connect", error);
  int fd = new_socket();
  if (fd < 0) return fail(env, "socket", errno);
  if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
    error = errno;
    close(fd);
    return fail(env, "connect", error);
  }
  return adopt(env, fd);
}

// 0 when the path is free, a dead socket having been removed; else why not: EADDRINUSE for a live one.
static int clear_path(const struct sockaddr_un *address) {
  struct stat st;
  if (lstat(address->sun_path, &st) < 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(st.st_mode)) return EEXIST;
  int probe = new_socket();
  if (probe < 0) return errno;
  int error = connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
  close(probe);
  if (error == ENOENT) return 0;
  if (error != ECONNREFUSED) return EADDRINUSE;
  return unlink(address->sun_path) == 0 || errno == ENOENT ? 0 : errno;
}

// removeDead(path): removes a socket file without a listener, else throws
static napi_value js_remove_dead(napi_env env, napi_callback_info info) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  napi_value argv[1];
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  int error = read_path(env, argv[0], address.sun_path, sizeof(address.sun_path));
  if (error == 0) error = clear_path(&address);
  return error == 0 ? NULL : fail(env, "remove", error);
}

// listen(path, directory, mode, backlog) -> socket. The lock on the directory keeps two servers that start together
// from removing each other's socket; EAGAIN when another one is just doing this.
static napi_value js_listen(napi_env env, napi_callback_info info) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char directory[sizeof(address.sun_path)];
  napi_value argv[4];
  size_t argc = 4;
  uint32_t mode = 0, backlog = 0;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  int error = read_path(env, argv[0], address.sun_path, sizeof(address.sun_path));
  if (error == 0) error = read_path(env, argv[1], directory, sizeof(directory));
  if (error == 0 && (napi_get_value_uint32(env, argv[2], &mode) != napi_ok ||
                     napi_get_value_uint32(env, argv[3], &backlog) != napi_ok))
    error = EINVAL;
  if (error != 0) return fail(env, "listen", error);

  const char *step = "open directory";
  int fd = -1, bound = 0;
  int lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) goto failed;
  step = "lock directory";
  if (flock(lock, LOCK_EX | LOCK_NB) < 0) goto failed;
  step = "existing socket";
  if ((errno = clear_path(&address)) != 0) goto failed;
  step = "socket";
  if ((fd = new_socket()) < 0) goto failed;
  // bind gives the file the mode of the descriptor less the umask: closed first, then exactly what was asked for.
  step = "bind";
  if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) goto failed;
  bound = 1;
  step = "chmod";
  if (chmod(address.sun_path, mode) < 0) goto failed;
  step = "listen";
  if (listen(fd, (int)backlog) < 0) goto failed;
  close(lock);
  return adopt(env, fd);

failed:
  error = errno;
  if (bound) unlink(address.sun_path);
  if (fd >= 0) close(fd);
  if (lock >= 0) close(lock);
  return fail(env, step, error);
}

// accept(listener) -> socket, or undefined when no connection waits
static napi_value js_accept(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  packet_socket *s = arguments(env, info, 1, argv);
  if (s == NULL) return NULL;
  int fd;
  do fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0) return errno == EAGAIN ? NULL : fail(env, "accept", errno);
  return adopt(env, fd);
}

// recv(socket, buffer) -> the true length of the packet, RECV_WOULD_BLOCK or RECV_END
static napi_value js_recv(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  void *data;
  size_t size;
  packet_socket *s = arguments(env, info, 2, argv);
  if (s == NULL) return NULL;
  if (napi_get_buffer_info(env, argv[1], &data, &size) != napi_ok) return fail(env, "recv", EINVAL);
  ssize_t n;
  do n = recv(s->fd, data, size, MSG_TRUNC);
  while (n < 0 && errno == EINTR);
  if (n < 0) return errno == EAGAIN ? number(env, RECV_WOULD_BLOCK) : fail(env, "recv", errno);
  if (n > 0) return number(env, n);
  // 0 is an empty packet or the end: only the end leaves the peer's side shut.
  struct pollfd end = {.fd = s->fd, .events = POLLRDHUP};
  return number(env, poll(&end, 1, 0) == 1 ? RECV_END : 0);
}

// send(socket, packet) -> true, or false when it would block
static napi_value js_send(napi_env env, napi_callback_info info) {
  napi_value argv[2], sent = NULL;
  void *data;
  size_t size;
  packet_socket *s = arguments(env, info, 2, argv);
  if (s == NULL) return NULL;
  if (napi_get_buffer_info(env, argv[1], &data, &size) != napi_ok) return fail(env, "send", EINVAL);
  ssize_t n;
  do n = send(s->fd, data, size, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN) return fail(env, "send", errno);
  napi_get_boolean(env, n >= 0, &sent);
  return sent;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  packet_socket *s = poll->data;
  napi_env env = s->env;
  napi_handle_scope scope;
  napi_value handler, receiver, argument, error;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, s->on_event, &handler) == napi_ok &&
      napi_get_global(env, &receiver) == napi_ok &&
      napi_create_int32(env, status < 0 ? 0 : events, &argument) == napi_ok &&
      napi_make_callback(env, s->context, receiver, handler, 1, &argument, NULL) == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
  napi_close_handle_scope(env, scope);
}

// watch(socket, events, handler): calls handler(events) as long as one of the events (1 readable, 2 writable,
// 4 peer gone) holds; handler(0) reports an error that recv then names, and ends the watch. No events end it too.
static napi_value js_watch(napi_env env, napi_callback_info info) {
  napi_value argv[3], name;
  napi_valuetype type;
  int32_t events = 0;
  packet_socket *s = arguments(env, info, 3, argv);
  if (s == NULL) return NULL;
  if (napi_get_value_int32(env, argv[1], &events) != napi_ok || napi_typeof(env, argv[2], &type) != napi_ok ||
      type != napi_function)
    return fail(env, "watch", EINVAL);
  if (s->context == NULL &&
      (napi_create_string_utf8(env, "PacketSocket", NAPI_AUTO_LENGTH, &name) != napi_ok ||
       napi_async_init(env, NULL, name, &s->context) != napi_ok))
    return fail(env, "watch", ENOMEM);
  if (s->on_event == NULL && napi_create_reference(env, argv[2], 1, &s->on_event) != napi_ok)
    return fail(env, "watch", ENOMEM);
  int status = events == 0 ? uv_poll_stop(&s->poll) : uv_poll_start(&s->poll, events, on_poll);
  return status == 0 ? NULL : fail(env, "watch", -status);
}

// peer(socket) -> { pid, uid, gid }
static napi_value js_peer(napi_env env, napi_callback_info info) {
  napi_value argv[1], peer;
  struct ucred credentials;
  socklen_t size = sizeof(credentials);
  packet_socket *s = arguments(env, info, 1, argv);
  if (s == NULL) return NULL;
  if (getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) return fail(env, "peer", errno);
  if (napi_create_object(env, &peer) != napi_ok) return fail(env, "peer", ENOMEM);
  napi_set_named_property(env, peer, "pid", number(env, credentials.pid));
  napi_set_named_property(env, peer, "uid", number(env, credentials.uid));
  napi_set_named_property(env, peer, "gid", number(env, credentials.gid));
  return peer;
}

// close(socket); a second time is harmless
static napi_value js_close(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  size_t argc = 1;
  packet_socket *s = NULL;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) == napi_ok &&
      napi_get_value_external(env, argv[0], (void **)&s) == napi_ok && s != NULL)
    close_socket(s);
  return NULL;
}

// tryLock(fd) -> true, or false when another open file has the lock
static napi_value js_try_lock(napi_env env, napi_callback_info info) {
  napi_value argv[1], taken = NULL;
  size_t argc = 1;
  int32_t fd = -1;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 1 ||
      napi_get_value_int32(env, argv[0], &fd) != napi_ok)
    return fail(env, "flock", EINVAL);
  int status;
  do status = flock(fd, LOCK_EX | LOCK_NB);
  while (status < 0 && errno == EINTR);
  if (status < 0 && errno != EWOULDBLOCK) return fail(env, "flock", errno);
  napi_get_boolean(env, status == 0, &taken);
  return taken;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"connect", js_connect}, {"listen", js_listen}, {"removeDead", js_remove_dead}, {"accept", js_accept},
      {"recv", js_recv},       {"send", js_send},     {"watch", js_watch},            {"peer", js_peer},
      {"close", js_close},     {"tryLock", js_try_lock},
  };
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
      return NULL;
  }
  return exports;
}
