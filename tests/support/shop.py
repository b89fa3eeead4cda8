"""A sample shop: two databases with a bit of everything that a dump has to carry.

    shop = Shop.load(server)                 # databases shop and shop_archive, 50 MB and more
    shop = Shop.load(server, scale=0.01)     # the same objects with a hundredth of the rows

As a program, started in the folder tests, it prints the SQL for psql:

    python3 -m support.shop roles | shop [SCALE] | shop_archive [SCALE]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from support.postgres import PostgresServer, quote_identifier

ROLES = """
create role shop_owner nologin;
create role shop_app login password 'shop_app of the sample' connection limit 20;
create role shop_reader login;
create role "Shop Reporting" nologin;
grant "Shop Reporting" to shop_reader;
comment on role shop_owner is 'owns the sample shop';
"""

# Random bytes do not compress, the texts do: a dump of this is about half as large as its tables.
SHOP = """
begin;
create extension pgcrypto;
create extension citext;
set role shop_owner;
create schema catalogue;
create type order_state as enum ('open', 'paid', 'shipped', 'returned');
create domain money_amount as numeric(12,2) check (value >= 0);

create table customer (
    id bigint generated always as identity primary key,
    email public.citext not null unique,
    name text not null,
    profile jsonb not null,
    joined_at timestamptz not null);
insert into customer (email, name, profile, joined_at)
    select 'Customer' || i || '@example.com',
           'Customer ' || i || (array[' Müller', ' 王', ' O''Neil'])[1 + i % 3],
           jsonb_build_object('city', (array['Berlin', '上海', 'Zürich'])[1 + i % 3], 'points', i % 977,
                              'tags', jsonb_build_array('a', i % 7)),
           timestamptz '2025-01-01 00:00+00' + i * interval '1 minute'
    from generate_series(1, {customers}) i;

create table catalogue.product (
    id serial primary key,
    sku text not null unique,
    title text not null,
    description text not null,
    price_net money_amount not null,
    tax_rate numeric(4,2) not null default 0.19,
    price_gross numeric(14,4) generated always as (price_net::numeric * (1 + tax_rate)) stored,
    tags text[] not null,
    photo bytea);
alter table catalogue.product alter column photo set storage external;
insert into catalogue.product (sku, title, description, price_net, tags, photo)
    select 'SKU-' || lpad(i::text, 8, '0'), 'Product ' || i, repeat('A description of product ' || i || '. ', 12),
           (i % 9973) / 7.0, array['new', 'tag' || i % 17],
           public.gen_random_bytes(1024) || public.gen_random_bytes(1024)
    from generate_series(1, {products}) i;

create table "Order" (
    id bigint not null,
    placed_at timestamptz not null,
    customer_id bigint not null references customer,
    state order_state not null default 'open',
    note text,
    total money_amount not null,
    primary key (id, placed_at)) partition by range (placed_at);
create table order_2024 partition of "Order" for values from ('2024-01-01 00:00+00') to ('2025-01-01 00:00+00');
create table order_2025 partition of "Order" for values from ('2025-01-01 00:00+00') to ('2026-01-01 00:00+00');
create table order_2026 partition of "Order" for values from ('2026-01-01 00:00+00') to ('2027-01-01 00:00+00');
create table order_other partition of "Order" default;
create index on "Order" (customer_id);
create sequence order_number start 1000001 increment 3 cache 10;
insert into "Order" (id, placed_at, customer_id, state, note, total)
    select nextval('order_number'),
           timestamptz '2024-01-01 00:00+00' + (i * 331 % 1200) * interval '1 day' + i * interval '1 second',
           1 + i % {customers}, (enum_range(null::order_state))[1 + i % 4],
           case when i % 5 = 0 then E'line one\\nline\\ttwo; "quoted" \\\\ back' end, (i % 50021) / 3.0
    from generate_series(1, {orders}) i;

create table review (
    product_id int references catalogue.product,
    author text,
    body text,
    stars smallint check (stars between 1 and 5));
insert into review
    select 1 + i % {products}, 'Customer ' || i, repeat(md5(i::text) || ' ', 20), 1 + i % 5
    from generate_series(1, {reviews}) i;

create table attachment (id int primary key, title text, content oid not null);
reset role;
insert into attachment select i, 'Invoice ' || i, lo_from_bytea(0, string_agg(gen_random_bytes(1024), ''))
    from generate_series(1, {large_objects}) i, generate_series(1, 64) group by i;
comment on table attachment is 'documents kept as large objects';
set role shop_owner;

create view customer_value as
    select c.id, c.name, sum(o.total) as total
    from customer c join "Order" o on o.customer_id = c.id group by c.id;
create materialized view best_seller as
    select product_id, avg(stars) as stars from review group by product_id order by 2 desc limit 100;
create unique index on best_seller (product_id);
create function touch() returns trigger language plpgsql as $$
    begin new.note := coalesce(new.note, ''); return new; end $$;
create trigger order_touch before update on "Order" for each row execute function touch();
create table "empty; table" ("a ""quoted"" column" int);
grant usage on schema catalogue to "Shop Reporting", shop_app;
grant select on all tables in schema public, catalogue to "Shop Reporting";
grant insert, update on "Order" to shop_app;
alter table customer enable row level security;
create policy readers on customer for select to "Shop Reporting" using (true);
reset role;
commit;
analyze;
"""

SHOP_ARCHIVE = """
begin;
set role shop_owner;
create table old_order (id bigint primary key, closed_on date not null, document jsonb not null);
insert into old_order select i, date '2015-01-01' + i % 3650,
    jsonb_build_object('number', i, 'lines', jsonb_build_array(md5(i::text), md5((i * 7)::text)), 'paid', i % 2 = 0)
    from generate_series(1, {old_orders}) i;
create table old_note (old_order_id bigint references old_order, body text);
insert into old_note select i, repeat('note ' || i || ' ', 8) from generate_series(1, {old_orders}, 5) i;
reset role;
commit;
analyze;
"""

ROWS = {
    "customers": 20_000,
    "products": 8_000,
    "orders": 60_000,
    "reviews": 12_000,
    "large_objects": 40,
    "old_orders": 60_000,
}


def sized(text: str, scale: float) -> str:
    for name, rows in ROWS.items():
        text = text.replace("{" + name + "}", str(max(3, round(rows * scale))))
    return text


@dataclass(frozen=True)
class Shop:
    """The databases of a loaded shop, and the rows each had when it was loaded (see PostgresServer.counts)."""

    server: PostgresServer
    databases: tuple[str, str]
    counts: dict[str, dict[str, int]]

    @classmethod
    def load(cls, server: PostgresServer, scale: float = 1, names: tuple[str, str] = ("shop", "shop_archive")) -> Shop:
        server.sql(ROLES)
        for name, text in zip(names, (SHOP, SHOP_ARCHIVE)):
            server.createdb(name, owner="shop_owner")
            # From PostgreSQL 15 on, only the owner of a database may create in its schema public.
            server.sql(f"grant create on database {quote_identifier(name)} to shop_owner; {sized(text, scale)}", name)
        return cls(server, names, {name: server.counts(name) for name in names})


def main() -> int:
    texts = {"roles": ROLES, "shop": SHOP, "shop_archive": SHOP_ARCHIVE}
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in texts:
        print("usage: python3 -m support.shop roles | shop [SCALE] | shop_archive [SCALE]", file=sys.stderr)
        return 2
    print(sized(texts[sys.argv[1]], float(sys.argv[2]) if len(sys.argv) > 2 else 1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
