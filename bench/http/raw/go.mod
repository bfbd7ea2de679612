module millrace/bench/http/raw

go 1.22
