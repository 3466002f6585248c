//go:build js && !allcurves

package gnark

import "mpinlab/backends"

// more lists the curves that a page does not carry unless it is built with the
// tag allcurves: with them a small WebAssembly program is 9.0 MB, without 4.2 MB.
var more = []known{
	{id: backends.BN254},
	{id: backends.BLS12377},
	{id: backends.BLS24315},
	{id: backends.BLS24317},
	{id: backends.BW6633},
	{id: backends.BW6761},
}
