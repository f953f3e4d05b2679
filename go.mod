module encke

go 1.26.0
