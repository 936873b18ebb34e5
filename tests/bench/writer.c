/* Writes messages to the socket at fd 3, as fast as it is taken, the way QEMU's UART does: one send() each.
** usage: writer MESSAGES BYTES-OF-EACH */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SOCKET = 3, BYTES_MAX = 4096 };

int main (int argc, char **argv) {
  char message[BYTES_MAX];
  long count = argc > 1 ? atol(argv[1]) : 0;
  long bytes = argc > 2 ? atol(argv[2]) : 1;
  if (count < 1 || bytes < 1 || bytes > BYTES_MAX) return 2;
  memset(message, 'x', sizeof message);
  message[bytes - 1] = '\n';
  for (long i = 0; i < count; i++) {
    ssize_t sent;
    do sent = send(SOCKET, message, (size_t)bytes, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent != bytes) {
      perror("writer: send");
      return 1;
    }
  }
  return 0;
}
