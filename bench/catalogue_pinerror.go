package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"

	"mpinlab/backends"
	"mpinlab/bench/direct"
	"mpinlab/protocol"
)

// pinErrorOps is the PIN error.
var pinErrorOps = []protocolOp{{
	Operation: Operation{"PINError", "the server finds entered − true of a login with a wrong PIN of four digits, from bytes, the identity's point at hand"},
	needs:     func(s *protocol.Suite) bool { return needs[backends.Pairer](s.Backend()) },
	build: func(w *world) (*direct.Op, func(int) []byte) {
		logins := w.wrongPINs()
		return keepBytes(func(i int) []byte {
			delta, err := w.verifier.PINError(w.users[i].id, logins[i].login, protocol.FourDigits)
			if err != nil {
				return nil
			}
			return encodeInt(delta)
		}), func(i int) []byte { return encodeInt(logins[i].delta) }
	},
}}

// wrongPIN is a failed login and what its PIN error must be.
type wrongPIN struct {
	login *protocol.FailedLogin
	delta int
}

// wrongPINs makes a login for every user in which some other user's PIN is
// entered.
func (w *world) wrongPINs() []wrongPIN {
	var logins []wrongPIN
	for i := range w.users {
		rng := rand.NewChaCha8([32]byte(fmt.Appendf(nil, "%16x PIN error %4d ", inputSeed, i)))
		u, entered := &w.users[i], (i+1)%len(w.users)
		p := must(w.suite.NewProver(u.id, must(u.token.Secret(u.id, w.users[entered].pin)), nil, rng))
		y := w.suite.EncodeScalar(must(backends.RandomScalar(w.suite.Backend(), rng)))
		logins = append(logins, wrongPIN{
			&protocol.FailedLogin{Pass1: p.Pass1(), Y: y, V: must(p.Pass2(y))},
			must(strconv.Atoi(w.in.Users[entered].PIN)) - must(strconv.Atoi(w.in.Users[i].PIN)),
		})
	}
	return logins
}

// encodeInt makes a result of a number.
func encodeInt(v int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }
