// certificate.h -- keys and certificates, for a test's server and for who speaks to it.
#pragma once

#include <string>

// Writes a key and its certificate, in PEM, into one file: for who is called `name`.  Signed by the key in
// the file `authority`; "": by its own, and to be trusted as it is.
void WriteCertificate(const std::string &path, const std::string &name,
                      const std::string &authority = "");
