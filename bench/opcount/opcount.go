// Package opcount tells how many operations in the prime field a verification
// takes, part by part, as counted on the reference backend.
//
// The counts are those of the reference's algorithms: affine line functions with
// an inversion a step, subgroup checks that multiply by r, scalar
// multiplications without endomorphisms, extension fields by Karatsuba. The
// libraries do with fewer. They are the same on every machine, and so tell what
// a curve asks for, where times tell what a machine and a library make of it.
//
// The numbers are in counts.csv, which the test of this package makes anew under
// the build tag "meter" (go test -tags meter ./bench/opcount -update) and
// compares at every other run: a normal build counts nothing.
package opcount

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Count is what one operation of the reference takes, the mean over several
// inputs, rounded.
type Count struct {
	// Curve and Suite: "bls12-381", "rfc9380".
	Curve, Suite string
	// Op is the operation as the catalogue of package bench names it.
	Op string
	// Multiplications, squarings, inversions, square roots, Legendre symbols,
	// additions with subtractions.
	Mul, Sqr, Inv, Sqrt, Legendre, Add int
}

//go:embed counts.csv
var data string

var header = []string{"curve", "suite", "op", "mul", "sqr", "inv", "sqrt", "legendre", "add"}

// All returns the counts, by curve and operation in the catalogue's order.
var All = sync.OnceValue(func() []Count {
	list, err := parse(data)
	if err != nil {
		panic(fmt.Sprintf("opcount: counts.csv: %v", err)) // the test has read it
	}
	return list
})

func parse(text string) ([]Count, error) {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || strings.Join(records[0], ",") != strings.Join(header, ",") {
		return nil, fmt.Errorf("expected the columns %s", strings.Join(header, ", "))
	}
	var list []Count
	for _, r := range records[1:] {
		c := Count{Curve: r[0], Suite: r[1], Op: r[2]}
		for i, to := range []*int{&c.Mul, &c.Sqr, &c.Inv, &c.Sqrt, &c.Legendre, &c.Add} {
			if *to, err = strconv.Atoi(r[3+i]); err != nil {
				return nil, err
			}
		}
		list = append(list, c)
	}
	return list, nil
}
