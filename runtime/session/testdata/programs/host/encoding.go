package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"net/url"
	"os"
	"strings"
)

func main() {
	fmt.Println(base64.StdEncoding.EncodeToString([]byte("hi")), hex.EncodeToString([]byte{1, 255}))
	r := csv.NewReader(strings.NewReader("a,b\n1,\"x,y\"\n"))
	recs, err := r.ReadAll()
	fmt.Println(recs, err)
	w := csv.NewWriter(os.Stdout)
	w.Write([]string{"q\"t", "z"})
	w.Flush()
	fmt.Printf("%x\n", sha256.Sum256([]byte("abc")))
	fmt.Println(crc32.ChecksumIEEE([]byte("abc")))
	b := make([]byte, 4)
	binary.LittleEndian.PutUint32(b, 1000)
	fmt.Println(b, binary.BigEndian.Uint16([]byte{1, 2}))
	h := fnv.New32a()
	h.Write([]byte("x"))
	fmt.Println(h.Sum32())
	u, _ := url.Parse("http://h/p?a=1&b=2")
	fmt.Println(u.Host, u.Query()["b"])

}

// Output:
// aGk= 01ff
// [[a b] [1 x,y]] <nil>
// "q""t",z
// ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
// 891568578
// [232 3 0 0] 258
// 4245442695
// h [2]
