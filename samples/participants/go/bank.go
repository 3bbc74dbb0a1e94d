// A bank that takes part in Tercet's transactions: accounts with a balance and what is reserved.
//
//	debit   try: balance -> reserved   confirm: reserved -> gone   cancel: reserved -> balance
//	credit  confirm only: adds to the balance, and needs no try, because it cannot be refused
//
// The payload is JSON: {"account": "ann", "amount": 30}.
package main

//go:generate go build -o bin/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
//go:generate protoc -I $PROTOS --plugin=bin/protoc-gen-go --plugin=bin/protoc-gen-go-grpc --go_out=. --go_opt=module=example.com/bank,Mtercet/v1/participant.proto=example.com/bank/tercetv1 --go-grpc_out=. --go-grpc_opt=module=example.com/bank,Mtercet/v1/participant.proto=example.com/bank/tercetv1 tercet/v1/participant.proto

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"

	pb "example.com/bank/tercetv1"
	_ "github.com/jackc/pgx/v5/stdlib"
	"google.golang.org/grpc"
)

type order struct {
	Account string `json:"account"`
	Amount  int64  `json:"amount"`
}

func read(payload []byte) (o order, err error) {
	if err = json.Unmarshal(payload, &o); err == nil && (o.Account == "" || o.Amount <= 0 || o.Amount >= 1<<53) {
		err = errors.New("account is a text, amount a positive whole number")
	}
	if err != nil {
		err = Refused{"BAD_PAYLOAD", err.Error()}
	}
	return o, err
}

// change runs one statement, which must meet exactly one account.
func change(ctx context.Context, tx *sql.Tx, statement string, payload []byte) error {
	o, err := read(payload)
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, statement, o.Account, o.Amount)
	if err != nil {
		return err
	}
	if count, err := result.RowsAffected(); err != nil || count != 1 {
		return errors.Join(err, fmt.Errorf("%s does not have what was reserved", o.Account))
	}
	return nil
}

var debit = Action{
	Try: func(ctx context.Context, tx *sql.Tx, payload []byte) ([]byte, error) {
		o, err := read(payload)
		if err != nil {
			return nil, err
		}
		var left int64
		err = tx.QueryRowContext(ctx, `UPDATE account SET balance = balance - $2, reserved = reserved + $2
		    WHERE id = $1 AND balance >= $2 RETURNING balance`, o.Account, o.Amount).Scan(&left)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, Refused{"BALANCE_TOO_LOW", fmt.Sprintf("%s does not have %d", o.Account, o.Amount)}
		}
		return fmt.Appendf(nil, `{"balance": %d}`, left), err
	},
	Confirm: func(ctx context.Context, tx *sql.Tx, payload []byte) error {
		return change(ctx, tx, `UPDATE account SET reserved = reserved - $2 WHERE id = $1`, payload)
	},
	Cancel: func(ctx context.Context, tx *sql.Tx, payload []byte) error {
		return change(ctx, tx, `UPDATE account SET balance = balance + $2, reserved = reserved - $2
		    WHERE id = $1`, payload)
	},
}

var credit = Action{
	Confirm: func(ctx context.Context, tx *sql.Tx, payload []byte) error {
		return change(ctx, tx, `INSERT INTO account (id, balance) VALUES ($1, $2)
		    ON CONFLICT (id) DO UPDATE SET balance = account.balance + excluded.balance`, payload)
	},
	// A cancel of what was never confirmed finds no row, and calls nothing.
}

func main() {
	name := flag.String("name", "bank", "as tercetd's configuration names it")
	listen := flag.String("listen", "127.0.0.1:7202", "address")
	database := flag.String("database", "postgres:///bank", "a PostgreSQL with what postgresql.sql makes")
	flag.Parse()
	db, err := sql.Open("pgx", *database)
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(16)
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterParticipantServer(server,
		NewParticipant(*name, db, map[string]Action{"debit": debit, "credit": credit}))
	log.Fatal(server.Serve(listener))
}
