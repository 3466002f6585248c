package encoding

import "crypto/sha256"

// ShortenDST returns dst, or, where dst is longer than 255 bytes, the 32 bytes
// SHA-256("H2C-OVERSIZE-DST-" ‖ dst) that stand for it under
// expand_message_xmd with SHA-256 (RFC 9380, section 5.3.3). Libraries differ
// on such tags: some shorten them, some refuse them, some hash a wrong length.
func ShortenDST(dst []byte) []byte {
	if len(dst) <= 255 {
		return dst
	}
	h := sha256.New()
	h.Write([]byte("H2C-OVERSIZE-DST-"))
	h.Write(dst)
	return h.Sum(nil)
}
