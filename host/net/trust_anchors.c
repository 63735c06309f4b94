/* SPDX-License-Identifier: MPL-2.0 */
#include "net/trust_anchors.h"

#include <ctype.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

/* libcurl's path of what, in *easy, which the caller cleans up; NULL when it has none. */
static const char *system_path(CURL **easy, CURLINFO what)
{
    const char *path = NULL;

    *easy = curl_easy_init();
    if (*easy == NULL || curl_easy_getinfo(*easy, what, &path) != CURLE_OK)
        return NULL;
    return path;
}

char *trust_anchors_read(const char *ca_file, size_t *length)
{
    CURL *easy = NULL;
    const char *bundle = system_path(&easy, CURLINFO_CAINFO);
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

/* The names that OpenSSL looks for: the hash of a subject in eight hexadecimal digits, a dot, a number. */
static bool is_hashed_name(const char *name)
{
    size_t digits = 0;

    while (isxdigit((unsigned char)name[digits]))
        digits++;
    return digits == 8 && name[8] == '.' && isdigit((unsigned char)name[9]);
}

bool trust_anchors_have_folder(void)
{
    CURL *easy = NULL;
    const char *path = system_path(&easy, CURLINFO_CAPATH);
    DIR *folder = path == NULL ? NULL : opendir(path);
    const struct dirent *entry = NULL;

    while (folder != NULL && (entry = readdir(folder)) != NULL && !is_hashed_name(entry->d_name))
        continue;
    if (folder != NULL)
        closedir(folder);
    curl_easy_cleanup(easy);
    return entry != NULL;
}

void trust_anchors_apply(void *easy, const char *ca_file, bool all)
{
    struct curl_blob anchors = {.flags = CURL_BLOB_COPY};

    if (all && ca_file == NULL) {
        const char *bundle = NULL;
        if (curl_easy_getinfo(easy, CURLINFO_CAINFO, &bundle) == CURLE_OK && bundle != NULL) {
            /* What curl_easy_init had set; a transfer tried without has it no more. */
            curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
            curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, bundle);
        }
        return;
    }
    if (all)
        anchors.data = trust_anchors_read(ca_file, &anchors.len);
    if (anchors.data != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &anchors);
        curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, &anchors);
        free(anchors.data);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, ca_file);
}
