// Command mpin-k6 is k6 with the module k6/x/mpin: `mpin-k6 run script.js`.
//
// k6 is under the GNU Affero General Public License 3.0, and so is this program
// as a whole. The main module does not depend on it.
package main

import (
	"go.k6.io/k6/cmd"

	_ "mpinlab/sim/k6/mpin"
)

func main() { cmd.Execute() }
