package main

import (
	"fmt"
	"time"
)

type Server struct {
	host    string
	port    int
	tls     bool
	timeout time.Duration
}
type Option func(*Server) error

func WithPort(p int) Option {
	return func(s *Server) error {
		if p < 1 || p > 65535 {
			return fmt.Errorf("invalid port: %d", p)
		}
		s.port = p
		return nil
	}
}
func WithTLS() Option                    { return func(s *Server) error { s.tls = true; return nil } }
func WithTimeout(d time.Duration) Option { return func(s *Server) error { s.timeout = d; return nil } }
func NewServer(h string, opts ...Option) (*Server, error) {
	s := &Server{host: h, port: 80}
	for _, o := range opts {
		if err := o(s); err != nil {
			return nil, fmt.Errorf("new server: %w", err)
		}
	}
	return s, nil
}
func main() {
	s, err := NewServer("h", WithPort(8080), WithTLS(), WithTimeout(5*time.Second))
	fmt.Printf("%+v %v\n", *s, err)
	s, err = NewServer("h", WithPort(0))
	fmt.Println(s, err, s == nil)

}

// Output:
// {host:h port:8080 tls:true timeout:5000000000} <nil>
// <nil> new server: invalid port: 0 true
