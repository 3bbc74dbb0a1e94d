// certificate.h -- a key and a certificate of its own signature, for a test's server.
#pragma once

#include <string>

// Writes both, in PEM, into one file: for the server called `name`, and to be trusted as it is.
void WriteCertificate(const std::string &path, const std::string &name);
