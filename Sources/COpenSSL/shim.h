// SPDX-License-Identifier: MIT
#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdint.h>

// Macros that Swift does not import.
static const uint64_t TLS_SERVER_OPTIONS =
    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE
    | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF;

// Counts a record that a session begins to read, and takes its socket away at the last that it may
// read in one call: SSL_read goes on by itself for as long as records come that bring nothing, such
// as KeyUpdate (RFC 8446 section 4.6.3). How many are left is the session's data at index 0.
static inline void pdm_count_record(
    int is_written, int version, int type, const void *bytes, size_t count, SSL *session,
    void *argument) {
    (void)version, (void)bytes, (void)count, (void)argument;
    if (is_written || type != SSL3_RT_HEADER) return;
    intptr_t left = (intptr_t)SSL_get_ex_data(session, 0) - 1;
    SSL_set_ex_data(session, 0, (void *)left);
    if (left == 0) BIO_set_fd(SSL_get_rbio(session), -1, BIO_NOCLOSE);
}

// Takes up the session of a ticket unless the certificate that the client showed in it has ended:
// then there is a full handshake, in which it may show another.
static inline SSL_TICKET_RETURN pdm_take_ticket(
    SSL *session, SSL_SESSION *earlier, const unsigned char *name, size_t count,
    SSL_TICKET_STATUS status, void *argument) {
    (void)session, (void)name, (void)count, (void)argument;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    X509 *peer = SSL_SESSION_get0_peer(earlier);
    if (peer && X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}
