// Package gnark adapts gnark-crypto to package backends: seven curves, one
// generic adapter.
//
// gnark-crypto generates a package a curve from the same templates, so that
// the types have the same methods but no common interface. Here the shared
// shape is written down once as type constraints ([affine], [field], [unit]),
// the adapter is generic over them, and curves.go holds for each curve the
// few functions that are not methods. Each curve is its own instantiation, so
// elements of two curves cannot be mixed.
//
// Points are kept affine, as gnark-crypto's users keep them: an addition
// costs an inversion, and no later operation pays for one.
//
// Points and scalars are encoded as gnark-crypto documents, which on bls12-381
// is ZCash's form. GT is encoded as the curve's GT.Bytes does, coefficients
// big-endian, in these orders:
//
//   - bls12-381, bn254, bls12-377, F_p^12 = F_p^2[v][w] with w² = v: from the
//     highest coefficient to the lowest, w·v²·u, w·v², w·v·u, …, u, 1.
//   - bw6-633, bw6-761, F_p^6 = F_p^3[w]: likewise from the highest to the
//     lowest.
//   - bls24-315, bls24-317: from the lowest coefficient to the highest.
//
// The value of the pairing is gnark-crypto's: on bls12-381 the cube of the
// reduced ate pairing f^((p¹²−1)/r), as in every library of that curve here.
//
// gnark-crypto is variable-time throughout and says so in its README.
package gnark
