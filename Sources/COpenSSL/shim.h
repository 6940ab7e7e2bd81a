// The one-shot digest contexts are "deprecated" in OpenSSL 3 in favour of EVP, which allocates on every use;
// a copied SHA256_CTX costs nothing (see docs/decisions/0002-openssl-for-digests.md).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
