/* SPDX-License-Identifier: MPL-2.0 */
#include "net/trust_anchors.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Debian's bundle of every public authority has 230 KB. */
#define ANCHORS_FILE_MAX ((off_t)4 * 1024 * 1024)

/* Appends the file and a newline to *text. Returns 0, or -1 with errno. */
static int append_file(const char *path, char **text, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    char *grown;
    size_t size;
    ssize_t got = 0;
    int result = -1;

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0)
        goto out;
    errno = EINVAL;
    if (!S_ISREG(status.st_mode) || status.st_size > ANCHORS_FILE_MAX)
        goto out;
    size = (size_t)status.st_size;
    grown = realloc(*text, *length + size + 1);
    if (grown == NULL)
        goto out;
    *text = grown;
    for (size_t done = 0; done < size; done += (size_t)got) {
        got = read(fd, grown + *length + done, size - done);
        if (got <= 0)
            goto out;
    }
    grown[*length + size] = '\n';
    *length += size + 1;
    result = 0;
out:
    close(fd);
    return result;
}

static const char *system_bundle(CURL *easy)
{
    const char *path = NULL;

    if (easy == NULL || curl_easy_getinfo(easy, CURLINFO_CAINFO, &path) != CURLE_OK)
        return NULL;
    return path;
}

char *trust_anchors_read(const char *ca_file, size_t *length)
{
    CURL *easy = curl_easy_init();
    const char *bundle = system_bundle(easy);
    char *text = NULL;

    *length = 0;
    /* A system without a bundle has a folder of certificates, which libcurl goes on using. */
    if (bundle != NULL)
        append_file(bundle, &text, length);
    if (append_file(ca_file, &text, length) != 0) {
        free(text);
        text = NULL;
    }
    curl_easy_cleanup(easy);
    return text;
}
