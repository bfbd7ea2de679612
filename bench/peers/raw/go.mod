module millrace/bench/raw

go 1.21
