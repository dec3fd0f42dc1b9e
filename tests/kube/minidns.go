// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// A small DNS server for a test cluster: the part of the Kubernetes DNS specification that e2e tests ask for.
// usage: minidns KUBECONFIG LISTEN [name=address ...]
package main

import (
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const zone = "cluster.local."

type names struct {
	addrs map[string][]string // name -> addresses
	cname map[string]string
	srv   map[string][]*dns.SRV
	ptr   map[string]string // address -> name
	known map[string]bool   // names that exist without records of their own
}

var (
	mu    sync.RWMutex
	now   = &names{}
	fixed = map[string]string{}
)

func hdr(n string, t uint16) dns.RR_Header { return dns.RR_Header{Name: n, Rrtype: t, Class: dns.ClassINET, Ttl: 1} }

func addr(n, ip string) dns.RR {
	p := net.ParseIP(ip)
	if p.To4() != nil {
		return &dns.A{Hdr: hdr(n, dns.TypeA), A: p}
	}
	return &dns.AAAA{Hdr: hdr(n, dns.TypeAAAA), AAAA: p}
}

func label(ip string) string { return strings.NewReplacer(".", "-", ":", "-").Replace(ip) }

func build(svcs []interface{}, eps cache.Store) *names {
	n := &names{map[string][]string{}, map[string]string{}, map[string][]*dns.SRV{}, map[string]string{}, map[string]bool{}}
	for _, o := range svcs {
		s := o.(*v1.Service)
		host := s.Name + "." + s.Namespace + ".svc." + zone
		n.known[host], n.known[s.Namespace+".svc."+zone] = true, true
		srv := func(port, proto, target string, num int32) {
			rr := &dns.SRV{Hdr: hdr("", dns.TypeSRV), Weight: 10, Port: uint16(num), Target: target}
			if port != "" {
				k := "_" + port + "._" + strings.ToLower(proto) + "." + host
				n.srv[k] = append(n.srv[k], rr)
			}
			n.srv[host] = append(n.srv[host], rr)
		}
		switch {
		case s.Spec.Type == v1.ServiceTypeExternalName:
			n.cname[host] = dns.Fqdn(s.Spec.ExternalName)
		case s.Spec.ClusterIP != v1.ClusterIPNone && s.Spec.ClusterIP != "":
			ips := s.Spec.ClusterIPs
			if len(ips) == 0 {
				ips = []string{s.Spec.ClusterIP}
			}
			n.addrs[host] = ips
			for _, ip := range ips {
				n.ptr[ip] = host
			}
			for _, p := range s.Spec.Ports {
				srv(p.Name, string(p.Protocol), host, p.Port)
			}
		default:
			e, ok, _ := eps.GetByKey(s.Namespace + "/" + s.Name)
			if !ok {
				continue
			}
			for _, sub := range e.(*v1.Endpoints).Subsets {
				as := sub.Addresses
				if s.Spec.PublishNotReadyAddresses {
					as = append(append([]v1.EndpointAddress{}, as...), sub.NotReadyAddresses...)
				}
				for _, a := range as {
					h := a.Hostname
					if h == "" {
						h = label(a.IP)
					}
					h += "." + host
					n.addrs[host] = append(n.addrs[host], a.IP)
					n.addrs[h] = append(n.addrs[h], a.IP)
					n.ptr[a.IP] = h
					for _, p := range sub.Ports {
						srv(p.Name, string(p.Protocol), h, p.Port)
					}
				}
			}
		}
	}
	return n
}

func answer(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	m.Authoritative, m.RecursionAvailable = true, true
	mu.RLock()
	n := now
	mu.RUnlock()
	if len(q.Question) == 1 {
		name, t := strings.ToLower(q.Question[0].Name), q.Question[0].Qtype
		found := n.known[name]
		for i := 0; i < 5; i++ { // follow CNAMEs
			c, ok := n.cname[name]
			if !ok {
				break
			}
			m.Answer = append(m.Answer, &dns.CNAME{Hdr: hdr(name, dns.TypeCNAME), Target: c})
			found, name = true, c
		}
		as := n.addrs[name]
		if ip, ok := fixed[name]; ok {
			as = []string{ip}
		}
		if p := strings.Split(name, "."); len(as) == 0 && strings.HasSuffix(name, ".pod."+zone) && len(p) == 6 {
			if ip := net.ParseIP(strings.ReplaceAll(p[0], "-", ".")); ip != nil {
				as = []string{ip.String()}
			} else if ip := net.ParseIP(strings.ReplaceAll(p[0], "-", ":")); ip != nil {
				as = []string{ip.String()}
			}
		}
		for _, ip := range as {
			found = true
			if rr := addr(name, ip); rr.Header().Rrtype == t {
				m.Answer = append(m.Answer, rr)
			}
		}
		if s := n.srv[name]; len(s) > 0 {
			found = true
			for _, rr := range s {
				if t == dns.TypeSRV {
					c := *rr
					c.Hdr = hdr(name, dns.TypeSRV)
					m.Answer = append(m.Answer, &c)
					for _, ip := range n.addrs[rr.Target] {
						m.Extra = append(m.Extra, addr(rr.Target, ip))
					}
				}
			}
		}
		if t == dns.TypePTR {
			for ip, h := range n.ptr {
				if r, err := dns.ReverseAddr(ip); err == nil && r == name {
					found = true
					m.Answer = append(m.Answer, &dns.PTR{Hdr: hdr(name, t), Ptr: h})
				}
			}
		}
		if !found {
			m.Rcode = dns.RcodeNameError
		}
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		size := 512
		if o := q.IsEdns0(); o != nil {
			size = int(o.UDPSize())
		}
		if m.Len() > size {
			m.Truncated, m.Answer, m.Extra = true, nil, nil
		}
	}
	w.WriteMsg(m)
}

func main() {
	cfg, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range os.Args[3:] {
		kv := strings.SplitN(a, "=", 2)
		fixed[dns.Fqdn(kv[0])] = kv[1]
	}
	f := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(cfg), 0)
	si, ei := f.Core().V1().Services().Informer(), f.Core().V1().Endpoints().Informer()
	dirty := make(chan struct{}, 1)
	mark := func() {
		select {
		case dirty <- struct{}{}:
		default:
		}
	}
	h := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(interface{}) { mark() },
		UpdateFunc: func(interface{}, interface{}) { mark() },
		DeleteFunc: func(interface{}) { mark() },
	}
	si.AddEventHandler(h)
	ei.AddEventHandler(h)
	f.Start(nil)
	f.WaitForCacheSync(nil)
	go func() {
		for range dirty {
			n := build(si.GetStore().List(), ei.GetStore())
			mu.Lock()
			now = n
			mu.Unlock()
			time.Sleep(50 * time.Millisecond)
		}
	}()
	dns.HandleFunc(".", answer)
	go func() { log.Fatal((&dns.Server{Addr: os.Args[2], Net: "tcp"}).ListenAndServe()) }()
	log.Fatal((&dns.Server{Addr: os.Args[2], Net: "udp"}).ListenAndServe())
}
