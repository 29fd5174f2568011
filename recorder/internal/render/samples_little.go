//go:build 386 || amd64 || arm || arm64 || loong64 || mips64le || mipsle || ppc64le || riscv64 || wasm

package render

import "unsafe"

// appendSamples appends samples in little endian, which is how the machine has them.
func appendSamples(b []byte, pcm []int16) []byte {
	return append(b, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(pcm))), 2*len(pcm))...)
}
