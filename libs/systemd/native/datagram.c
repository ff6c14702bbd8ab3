// For Node: one datagram to a unix socket, because node:dgram has no unix sockets, and malloc_trim. Errors are thrown with
// `code` set to the errno's name.
//
// SPDX-License-Identifier: Apache-2.0
#define NAPI_VERSION 8
#include <errno.h>
#include <malloc.h>
#include <node_api.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

static napi_value fail(napi_env env, const char *call, int error) {
  char text[160];
  snprintf(text, sizeof(text), "%s: %s", call, uv_strerror(-error));
  napi_throw_error(env, uv_err_name(-error), text);
  return NULL;
}

// A name that begins with @ is in the abstract namespace, as in NOTIFY_SOCKET. Returns 0 or an errno.
static int read_address(napi_env env, napi_value value, struct sockaddr_un *address, socklen_t *size) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return EINVAL;
  if (length < 2 || length >= sizeof(address->sun_path)) return length < 2 ? EINVAL : ENAMETOOLONG;
  napi_get_value_string_utf8(env, value, address->sun_path, sizeof(address->sun_path), &length);
  if (strlen(address->sun_path) != length || (address->sun_path[0] != '@' && address->sun_path[0] != '/')) return EINVAL;
  *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  if (address->sun_path[0] == '@') address->sun_path[0] = '\0';
  return 0;
}

// sendTo(address, bytes) -> true, or false when the receiver's queue is full. Never waits.
static napi_value js_send_to(napi_env env, napi_callback_info info) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  socklen_t size = 0;
  napi_value argv[2], sent = NULL;
  size_t argc = 2, length = 0;
  void *data = NULL;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 2 ||
      napi_get_buffer_info(env, argv[1], &data, &length) != napi_ok)
    return fail(env, "sendto", EINVAL);
  int error = read_address(env, argv[0], &address, &size);
  if (error != 0) return fail(env, "sendto", error);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(env, "socket", errno);
  ssize_t n;
  do n = sendto(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, size);
  while (n < 0 && errno == EINTR);
  error = n < 0 ? errno : 0;
  close(fd);
  if (error != 0 && error != EAGAIN && error != ENOBUFS) return fail(env, "sendto", error);
  napi_get_boolean(env, error == 0, &sent);
  return sent;
}

// trimMemory(): gives whole free pages of malloc's heaps back to the kernel, in all arenas.
static napi_value js_trim_memory(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  malloc_trim(0);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "sendTo", .method = js_send_to, .attributes = napi_enumerable},
      {.utf8name = "trimMemory", .method = js_trim_memory, .attributes = napi_enumerable},
  };
  if (napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions) != napi_ok) return NULL;
  return exports;
}
