// Package client is the user's side of M-Pin: it registers a user with a
// deployment, keeps what the user has (a token), and logs in with what the user
// knows (a PIN), over the messages of package wire. It works with any deployment
// that speaks them, ours or that of an M-Pin Core or Apache Milagro server, and
// compiles for browsers (js/wasm) and phones.
//
// # In use
//
// A [Client] is one deployment. It knows nothing about users and serves any
// number of them at a time:
//
//	c, err := client.Open(ctx, "https://example.com", client.Options{Suites: client.SuitesOf(backends...)})
//	id, err := c.Register(ctx, client.Registration{UserID: "alice@example.com"})
//	enrolment, err := c.EnrolWhenActive(ctx, id, time.Second)
//	err = enrolment.SetPIN(pin) // id has its token: store it
//	err = c.SetupDone(ctx, id)
//	session, err := c.Login(ctx, id, pin, client.LoginOptions{})
//
// A [Device] is a Client with a [Wallet], which keeps identities in a [Vault]: a
// file encrypted under a passphrase or a device key ([OpenFileVault]), or
// whatever a browser or phone has for the purpose.
//
// While the PIN is being typed, [Client.Prepare] can compute what does not need it.
//
// # What a thief of the wallet gets
//
// A token is s·A − PIN·A. For every PIN there is a secret that would have given
// this token, so that the token alone tells nothing. What tells a right PIN from
// a wrong one is anything made from s·A or from s·Q: e(s·A, Q), the precomputed
// values of M-Pin Full with the PIN in place, s·Q itself, or a server that
// answers. None of the first is ever stored, and the server counts.
//
// What lies beside the token does not help either. A permit is s·A_T and a
// D-TA's key s_i·G; a recorded login has U = x·A and V = −(x + y)·s·(A + A_T).
// To test a PIN with them is to tell whether two pairs of points of G1, one of
// them with token + PIN·A in it, have the same ratio: the decisional
// Diffie-Hellman problem in G1, which is taken to be hard on these curves, where
// G1 and G2 have no efficient map between them. So a wallet that was stolen and
// opened costs the thief one guess at the server a time, and the encryption of
// the wallet is a second wall. It keeps the token from being copied unnoticed,
// for instance out of a backup.
//
// # Wiping
//
// A [PIN] can be wiped, and the bytes of answers that carried shares are. Beyond
// that Go gives no promise: the runtime may have copied a stack, JSON strings
// cannot be overwritten, and neither can the points and scalars of most pairing
// libraries. They are dropped as soon as they have served, and the garbage
// collector reuses their memory when it pleases. A process that is not trusted
// while the PIN is typed cannot be helped by wiping.
//
// # Bad servers
//
// Answers are bounded in size and time, redirects are refused, and where the
// deployment publishes its D-TAs' keys every share that arrives with a proof is
// checked before anything is stored or sent; see [Options.ShareKeys] for whom
// that guards against.
package client
