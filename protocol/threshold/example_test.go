package threshold_test

import (
	"fmt"

	"mpinlab/backends"
	"mpinlab/backends/gnark"
	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
)

// Three D-TAs make a master secret of which any two can issue. Each would run
// on a machine of its own, with a board of its own; here they share one, and
// the channels between them are loops.
func Example() {
	backend, err := gnark.NewCurve(backends.BLS12381)
	if err != nil {
		panic(err)
	}
	suite, err := protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backends.BLS12381}, backend)
	if err != nil {
		panic(err)
	}
	ceremony, err := threshold.NewGeneration(suite, 2, 3, []byte("2026-11-23, first"))
	if err != nil {
		panic(err)
	}

	// Deal.
	board := threshold.NewBoard(ceremony)
	receivers := map[int]*threshold.Receiver{}
	for i := 1; i <= 3; i++ {
		receivers[i], _ = threshold.NewReceiver(board, i)
	}
	for i := 1; i <= 3; i++ {
		dealer, err := ceremony.NewDealer(i, nil, nil)
		if err != nil {
			panic(err)
		}
		if err := board.Deal(dealer.Deal()); err != nil {
			panic(err)
		}
		for j, r := range receivers {
			private, _ := dealer.SubShare(j)
			if err := r.SubShare(private); err != nil {
				fmt.Println("to be complained of:", err)
			}
		}
	}
	if err := board.EndDealing(); err != nil {
		panic(err)
	}
	// Nobody complains.
	if err := board.EndComplaints(); err != nil {
		panic(err)
	}
	faults, err := board.Close()
	fmt.Println("at fault:", len(faults), err)
	group, _ := board.Group()

	// D-TA 2 is down; 1 and 3 issue, and the shares are verified.
	alice, _ := suite.Identity([]byte("alice@example.com"))
	var shares []*threshold.ClientShare
	for _, i := range []int{1, 3} {
		share, err := receivers[i].Finish(nil)
		if err != nil {
			panic(err)
		}
		issued, _ := share.ClientShare(alice)
		shares = append(shares, issued)
	}
	secret, faults, err := group.CombineClientSecrets(alice, shares...)
	fmt.Println("wrong shares:", len(faults), err)

	// From here on it is package protocol.
	verifier, _ := suite.NewVerifier(group.ServerSecret())
	prover, _ := suite.NewProver(alice, secret, nil, nil)
	challenge, _ := verifier.Challenge(alice, prover.Pass1(), 0, nil)
	answer, _ := prover.Pass2(challenge.Y())
	fmt.Println("login:", challenge.Verify(answer))
	// Output:
	// at fault: 0 <nil>
	// wrong shares: 0 <nil>
	// login: <nil>
}

// Clients that only add up are served by any two of three D-TAs, which agree on
// who serves.
func ExampleShare_Additive() {
	backend, err := gnark.NewCurve(backends.BLS12381)
	if err != nil {
		panic(err)
	}
	suite, err := protocol.New(protocol.SuiteID{Dialect: protocol.Milagro, Curve: backends.BLS12381}, backend)
	if err != nil {
		panic(err)
	}
	// See the first example for a secret that nobody ever held.
	master, _ := suite.NewMasterSecret(nil)
	group, shares, err := threshold.Split(suite, master, 2, 3, nil)
	if err != nil {
		panic(err)
	}
	alice, _ := suite.Identity([]byte("alice@example.com"))

	set := []int{1, 3}
	var issued []*protocol.ClientSecret
	for _, i := range set {
		share := shares[i-1]
		dta, err := share.Additive(set)
		if err != nil {
			panic(err)
		}
		part, proof, err := dta.ProveClientShare(alice, nil)
		if err != nil {
			panic(err)
		}
		// The client has D-TA i's key from its set-up.
		key, err := threshold.AdditiveKey(share.Key(), i, set)
		if err != nil {
			panic(err)
		}
		fmt.Printf("D-TA %d: %v\n", i, key.VerifyClientShare(alice, part, proof))
		issued = append(issued, part)
	}
	secret, _ := protocol.CombineClientSecrets(issued...)
	fmt.Println("the secret:", secret.VerifyShare(alice, group.ServerSecret()))
	// Output:
	// D-TA 1: <nil>
	// D-TA 3: <nil>
	// the secret: <nil>
}
