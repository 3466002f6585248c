package protocol_test

import (
	"fmt"

	"mpinlab/backends"
	"mpinlab/backends/gnark"
	"mpinlab/protocol"
)

// A deployment with two D-TAs, a user who registers with a PIN, and a login.
func Example() {
	backend, err := gnark.NewCurve(backends.BLS12381)
	if err != nil {
		panic(err)
	}
	suite, err := protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backends.BLS12381}, backend)
	if err != nil {
		panic(err)
	}

	// Two authorities, each with its own share of the master secret.
	one, _ := suite.NewMasterSecret(nil)
	two, _ := suite.NewMasterSecret(nil)

	// The server's secret, from one share each.
	server, _ := protocol.CombineServerSecrets(one.ServerShare(), two.ServerShare())
	verifier, _ := suite.NewVerifier(server)

	// Registration: Alice adds up her shares and takes her PIN out.
	alice, _ := suite.Identity([]byte("alice@example.com"))
	first, _ := one.ClientShare(alice)
	second, _ := two.ClientShare(alice)
	secret, _ := protocol.CombineClientSecrets(first, second)
	pin, _ := suite.PIN("1234")
	token, _ := secret.Token(alice, pin)

	// Login: pass 1, challenge, pass 2, verdict.
	login := func(digits string) error {
		entered, err := suite.PIN(digits)
		if err != nil {
			return err
		}
		whole, err := token.Secret(alice, entered)
		if err != nil {
			return err
		}
		prover, err := suite.NewProver(alice, whole, nil, nil)
		if err != nil {
			return err
		}
		challenge, err := verifier.Challenge(alice, prover.Pass1(), 0, nil)
		if err != nil {
			return err
		}
		answer, err := prover.Pass2(challenge.Y())
		if err != nil {
			return err
		}
		return challenge.Verify(answer)
	}
	fmt.Println("right PIN:", login("1234"))
	fmt.Println("wrong PIN:", login("4321"))
	// Output:
	// right PIN: <nil>
	// wrong PIN: proof rejected
}
