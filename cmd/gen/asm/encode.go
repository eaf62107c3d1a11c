package main

import (
	"encoding/binary"
	"fmt"

	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Instructions that neither avo nor Go's assembler knows, on 512-bit registers. While avo gives out registers they stand
// as instructions of their names; encode then writes their bytes.
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, the pages of the two names.
var encodings = map[string]struct{ opcode, pp byte }{
	"VDPBF16PS":      {0x52, 2}, // EVEX.512.F3.0F38.W0 52 /r
	"VCVTNE2PS2BF16": {0x72, 3}, // EVEX.512.F2.0F38.W0 72 /r
}

// VDPBF16PS adds to every lane of acc the products of the two pairs of bf16 in that lane of a and b.
func (g *gen) VDPBF16PS(a, b, acc Op) {
	g.Instruction(&ir.Instruction{Opcode: "VDPBF16PS", Operands: []Op{a, b, acc}, Inputs: []Op{a, b, acc}, Outputs: []Op{acc}})
}

// VCVTNE2PS2BF16 rounds lo into the lower half of dst and hi into the upper half.
func (g *gen) VCVTNE2PS2BF16(lo, hi, dst Op) {
	g.Instruction(&ir.Instruction{Opcode: "VCVTNE2PS2BF16", Operands: []Op{lo, hi, dst}, Inputs: []Op{lo, hi}, Outputs: []Op{dst}})
}

// encode replaces the instructions of encodings by their bytes, once their registers are known.
func encode(file *ir.File) error {
	for _, fn := range file.Functions() {
		nodes := fn.Nodes[:0:0]
		for _, node := range fn.Nodes {
			in, ok := node.(*ir.Instruction)
			if !ok {
				nodes = append(nodes, node)
				continue
			}
			e, ok := encodings[in.Opcode]
			if !ok {
				nodes = append(nodes, node)
				continue
			}
			var r [3]byte
			for i, op := range in.Operands {
				p, ok := op.(Physical)
				if !ok || p.Kind() != KindVector || p.Size() != 64 {
					return fmt.Errorf("%s: %s of %s is no register of 512 bits", fn.Name, op.Asm(), in.Opcode)
				}
				r[i] = byte(p.PhysicalIndex())
			}
			b := evex(e.opcode, e.pp, r[2], r[1], r[0])
			nodes = append(nodes,
				&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(binary.LittleEndian.Uint32(b[:4]))}},
				&ir.Instruction{Opcode: "WORD", Operands: []Op{U16(binary.LittleEndian.Uint16(b[4:]))}})
		}
		fn.Nodes = nodes
	}
	return nil
}

// evex returns the bytes of an instruction on the 512-bit registers dst, vvvv, rm in the map 0F38 with W 0.
func evex(opcode, pp, dst, vvvv, rm byte) [6]byte {
	bit := func(r byte, n int) byte { return ^r >> n & 1 } // the prefix holds them inverted
	return [6]byte{
		0x62,
		bit(dst, 3)<<7 | bit(rm, 4)<<6 | bit(rm, 3)<<5 | bit(dst, 4)<<4 | 2,
		^vvvv&15<<3 | 1<<2 | pp,
		2<<5 | bit(vvvv, 4)<<3, // vectors of 512 bits
		opcode,
		3<<6 | dst&7<<3 | rm&7,
	}
}
