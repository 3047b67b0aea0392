// Unix sockets and descriptor passing: the CMSG macros and sockaddr_un that Swift cannot import well.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MAXIMUM_FDS = 32 };

long clinux_socket_unix(int type) {
    long fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

long clinux_socketpair_seqpacket(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
}

static long make_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}

long clinux_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long result = make_address(path, &address);
    if (result < 0) return result;
    return connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

// An abstract name is not ended by NUL but by the address's length.
long clinux_connect_abstract(int fd, const void *name, size_t length) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (length == 0 || length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path + 1, name, length);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    return connect(fd, (const struct sockaddr *)&address, size) < 0 ? -errno : 0;
}

long clinux_bind_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long result = make_address(path, &address);
    if (result < 0) return result;
    return bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

long clinux_send_fds(int socket_fd, const void *data, size_t size, const int *fds, size_t count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * MAXIMUM_FDS)];
    } control;
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > MAXIMUM_FDS) return -EINVAL;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    long sent = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

long clinux_receive_fds(int socket_fd, void *data, size_t size, int *fds, size_t *fd_count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * MAXIMUM_FDS)];
    } control;
    struct iovec part = {.iov_base = data, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    long received = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return -errno;
    size_t room = *fd_count, found = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            if (found < room) fds[found++] = fd;
            else clinux_close(fd);
        }
    }
    *fd_count = found;
    return received;
}

long clinux_socket_route(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return fd < 0 ? -errno : fd;
}

// One ioctl in and one out on a socket made for it: the interface keeps its other flags.
long clinux_interface_up(const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(name) >= sizeof request.ifr_name) return -ENAMETOOLONG;
    memcpy(request.ifr_name, name, strlen(name));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    long result = ioctl(fd, SIOCGIFFLAGS, &request) < 0 ? -errno : 0;
    if (result == 0) {
        request.ifr_flags |= IFF_UP;
        result = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
    }
    clinux_close(fd);
    return result;
}
