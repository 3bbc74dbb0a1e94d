#include "support/certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace
{

constexpr long kDaySeconds = 24L * 60 * 60;

void AddExtension(X509 *certificate, int kind, const std::string &value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    EXPECT_EQ(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

// By whom it is signed, and whose key that takes.
void Sign(X509 *certificate, EVP_PKEY *key, X509 *issuer)
{
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
}

void SignBy(X509 *certificate, const std::string &authority)
{
    FILE *file = fopen(authority.c_str(), "r");
    ASSERT_NE(file, nullptr) << authority;
    EVP_PKEY *key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
    X509 *issuer = PEM_read_X509(file, nullptr, nullptr, nullptr);
    fclose(file);
    ASSERT_TRUE(key != nullptr && issuer != nullptr) << authority;
    Sign(certificate, key, issuer);
    X509_free(issuer);
    EVP_PKEY_free(key);
}

} // namespace

void WriteCertificate(const std::string &path, const std::string &name,
                      const std::string &authority)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ASSERT_NE(key, nullptr);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -kDaySeconds);
    X509_gmtime_adj(X509_getm_notAfter(certificate), kDaySeconds);
    X509_set_pubkey(certificate, key);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char *>(name.c_str()), -1, -1, 0);
    AddExtension(certificate, NID_basic_constraints,
                 authority.empty() ? "critical,CA:TRUE" : "critical,CA:FALSE");
    AddExtension(certificate, NID_subject_alt_name, "DNS:" + name);
    if (authority.empty()) {
        Sign(certificate, key, certificate);
    } else {
        SignBy(certificate, authority);
    }
    FILE *file = fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr) << path;
    EXPECT_EQ(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    EXPECT_EQ(PEM_write_X509(file, certificate), 1);
    EXPECT_EQ(fclose(file), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
