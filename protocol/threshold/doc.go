// Package threshold splits the D-TAs' master secret t of n: any t of n D-TAs
// issue client secrets, permits and server secrets, t − 1 know nothing of s,
// and no one ever holds s, not even while it is made.
//
// Each D-TA i holds a share s_i = f(i) of a polynomial f of degree t − 1 with
// f(0) = s, and everybody among them the [Group]: commitments C_k = c_k·Q to
// f's coefficients. From these follow s·Q = C_0 and every s_i·Q, with which
// an issued share is verified: e(s_i·A, Q) = e(A, s_i·Q). Shares are combined
// with Lagrange coefficients, s·A = Σ λ_i·(s_i·A), into values of package
// protocol, which are used as if there were one D-TA.
//
// # Ceremonies
//
// Four ceremonies are one joint dealing each. All of them leave s as it is,
// and with it every token and permit, except the one that makes it:
//
//   - [NewGeneration] makes s, a sum of random contributions.
//   - [NewRefresh] adds a sharing of zero: new shares, new epoch. A D-TA that
//     is left out of it is out for good.
//   - [NewRecovery] makes the share of one index out of the others' without
//     showing anybody's: for a D-TA that lost its own, or for a new one.
//   - [NewResharing] hands s from some members to a new set with a new t.
//
// To add a D-TA, recover a share for a new index. To replace one, refresh
// without it, and then recover a share of the new epoch for its successor, at
// the old index or a new one. To change t, reshare.
//
// A ceremony runs in rounds. Each D-TA keeps a [Board] for what is broadcast,
// a [Dealer] and a [Receiver]:
//
//  1. Deal: each dealer broadcasts Dealer.Deal, for Board.Deal, and sends each
//     receiver its Dealer.SubShare, for Receiver.SubShare (to itself as well).
//     Board.EndDealing.
//  2. Complain: receivers broadcast Receiver.Complaints, for Board.Complain.
//     Board.EndComplaints.
//  3. Justify: each accused dealer answers Board.Complaints with
//     Dealer.Justify, for Board.Justify.
//  4. Qualify: Board.Close settles whose polynomials count, and names the
//     others with what they did.
//  5. Output: Board.Group, and Receiver.Finish for the share. In a recovery,
//     Receiver.Contribute makes a private message to the D-TA concerned, which
//     has the share from Board.Recover. All compare Group.ID.
//
// # Which variant, and its bias
//
// The dealing is Feldman's verifiable secret sharing ("A Practical Scheme for
// Non-interactive Verifiable Secret Sharing", FOCS 1987), in parallel by all,
// as Pedersen proposed ("A Threshold Cryptosystem without a Trusted Party",
// Eurocrypt 1991): the protocol called JF-DKG by Gennaro, Jarecki, Krawczyk
// and Rabin ("Secure Distributed Key Generation for Discrete-Log Based
// Cryptosystems", Eurocrypt 1999 and J. Cryptology 20, 2007), whose rounds of
// complaints these are. They also show its bias. A dealer who speaks last sees
// the sum of the others' C_0 and can try polynomials until s·Q has a property
// it likes, k chosen bits for 2^k attempts, or have dealers of its own
// disqualified to the same end. What it cannot do is learn s.
//
// Their remedy, Pedersen commitments first and Feldman's afterwards, costs two
// rounds more and the reconstruction of dropouts' secrets in public. It is not
// taken, because M-Pin does not need a uniform s·Q: every secret in it is
// linear in s. Were s' = s + d, with d known, an adversary's s', then s'·Q and
// all s'·A are those of s plus d times a known point, so that whoever breaks
// M-Pin under the biased s' breaks it under a uniform s. Gurkan, Jovanovic,
// Maller, Meiklejohn, Stern and Tomescu ("Aggregatable Distributed Key
// Generation", Eurocrypt 2021) make this an argument for all such "rekeyable"
// schemes and for this DKG. The argument needs d to be known, and that is why
// each deal carries a proof of knowledge of its whole polynomial. Without
// it, where honest members are fewer than t, the last dealer sets C_0 to
// z·Q less the others' and knows s = z; Komlo and Goldberg ("FROST", SAC 2020)
// meet that with a proof for C_0 alone. The other coefficients are proved here
// too, because a recovery hands out values of f at indices that a dealer could
// have aimed for.
//
// Refresh and recovery are those of Herzberg, Jarecki, Krawczyk and Yung
// ("Proactive Secret Sharing Or: How to Cope With Perpetual Leakage", Crypto
// 1995); resharing is that of Desmedt and Jajodia ("Redistributing Secret
// Shares to New Access Structures and Its Applications", 1997) with the
// verification that commitments give. Polynomials that must vanish somewhere
// are written (x − root)·g(x) and committed to by g, so that one that does not
// vanish cannot be written.
//
// # What is assumed
//
// At most t − 1 members are corrupt in an epoch, and one who is corrupt during
// a ceremony counts in the epochs before and after. Secrecy needs no more;
// that a ceremony comes to an end, and that issuing goes on, needs t honest
// members, hence n ≥ 2t − 1.
//
// The transport is the caller's: sub-shares and contributions are secrets in
// the clear and need a private, authenticated channel; broadcasts need an
// authenticated one on which all see the same. The order of messages within a
// phase is of no consequence, and unequal views end in unequal Group.IDs.
//
// Commitments give s·Q away, and with s·Q and a stolen token a PIN is found by
// trying: commitments, deals and groups stay among D-TAs and servers. A client
// is given each D-TA's key in G1 and a proof with each share (Share.Key,
// Share.ProveClientShare, ClientShare.VerifyProof) and leaves wrong ones out of
// CombineClientSecrets; or a front end trusted with s·Q combines for it, with
// Group.CombineClientSecrets. Clients that only add up are served by t D-TAs
// that agreed to serve together, each with [Share.Additive].
//
// # Secrets and time
//
// Shares, sub-shares and polynomials are handled in constant time where the
// backend's scalars and points are (backends.Info.ConstantTime). Indices,
// commitments, proofs and complaints are public among the members and are
// handled in variable time. Go gives no means of erasing a scalar for sure;
// drop dealers, receivers and old shares, and erase what was stored of them.
package threshold
