"""Literals of cells.tsv for the forms from bits on, and for all types whose values are made of other types' values."""

BITS_64 = "0110100110010110" * 4
BIT_CELLS = (
    ("bit", "bits", ("0", "1", None)),
    ("bit(7)", "bits", ("0000000", "1111111", "1000001")),
    ("bit(8)", "bits", ("00000000", "11111111", "10000000", "00000001", "xa5", "b01100110")),
    ("bit(9)", "bits", ("000000000", "111111111", "000000001", "100000000")),
    ("bit(64)", "bits", ("0" * 64, "1" * 64, BITS_64, "x0123456789abcdef")),
    ("bit(65)", "bits", ("0" * 65, "1" * 65, BITS_64 + "1")),
    (
        "bit varying",
        "bits",
        (
            "", "0", "1", "00", "01", "0000000", "1111111", "00000000", "10101010", "000000000", "101010101", BITS_64, BITS_64 + "0", BITS_64 + "1",
            "10" * 500, None,
        ),
    ),
    ("bit varying(9)", "bits", ("", "1", "1010101", "10101010", "101010101")),
    ("bit(3)[]", "bits[]", ("{}", "{101,NULL,000}", "[0:0]={111}")),
    ("bit varying[]", "bits[]", ('{"",0,00,NULL,111111111}', None)),
)

NETWORK_CELLS = (
    (
        "inet",
        "inet",
        (
            "0.0.0.0/0", "0.0.0.0", "0.0.0.0/32", "255.255.255.255", "192.168.1.5", "192.168.1.5/32", "192.168.1.5/24", "192.168.1.0/24",
            "10.0.0.0/8", "10.1.2.3/0", "127.0.0.1/31", "::/0", "::", "::1", "::1/128", "::1/0", "2001:db8::1/64", "2001:db8::/64",
            "2001:db8::/32", "2001:0db8:0000:0000:0000:0000:0000:0001/127", "::ffff:192.168.1.5", "::ffff:192.168.1.5/120",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "FE80::ABCD/10", None,
        ),
    ),
    (
        "cidr",
        "inet",
        (
            "0.0.0.0/0", "0.0.0.0/32", "192.168.1.5/32", "192.168.1.0/24", "10.0.0.0/8", "128.0.0.0/1", "255.255.255.255/32", "::/0", "::/128",
            "2001:db8::/32", "2001:db8::1/128", "::ffff:1.2.3.0/120", None,
        ),
    ),
    ("inet[]", "inet[]", ("{}", "{192.168.1.5/24,NULL,::1}", "{{0.0.0.0/0},{::/0}}")),
    ("cidr[]", "inet[]", ("{192.168.1.0/24,2001:db8::/32,NULL}",)),
    (
        "macaddr",
        "macaddr",
        (
            "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "08:00:2b:01:02:03", "08-00-2B-01-02-03", "0800.2b01.0203", "08002b010203",
            "01:00:00:00:00:80", None,
        ),
    ),
    (
        "macaddr8",
        "macaddr8",
        (
            "00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:ff", "08:00:2b:01:02:03:04:05", "0800.2b01.0203.0405", "08:00:2b:01:02:03",
            "02:00:00:ff:fe:00:00:80", None,
        ),
    ),
    ("macaddr[]", "macaddr[]", ("{08:00:2b:01:02:03,NULL}", "{}")),
    ("macaddr8[]", "macaddr8[]", ("{08:00:2b:01:02:03:04:05,NULL,08:00:2b:01:02:03}",)),
)

MONEY_CELLS = (
    (
        "money",
        "money",
        (
            "0", "0.00", "-0", "0.01", "-0.01", "1", "1.00", "-1.00", "2.55", "2.56", "1234.56", "-1234567.89", "92233720368547758.07",
            "-92233720368547758.08", None,
        ),
    ),
    ("money[]", "money[]", ("{}", "{1.00,NULL,-0.01}", "[-1:0]={0,92233720368547758.07}")),
)

GEOMETRIC_CELLS = (
    (
        "point",
        "point",
        (
            "(0,0)", "(-0,0)", "(0,-0)", "(1,2)", "(2,1)", "( 1.5 , -2.25 )", "(0.1,1e-300)", "(NaN,1)", "(1,NaN)", "(Infinity,-Infinity)",
            "(1.7976931348623157e308,5e-324)", None,
        ),
    ),
    ("line", "line", ("{1,-1,0}", "{1,-1,-0}", "{-0,1,2}", "{2,-2,0}", "{1,NaN,0}", "{0.1,0.2,0.3}", "{1,Infinity,-Infinity}", None)),
    (
        "lseg",
        "lseg",
        ("[(0,0),(1,1)]", "[(1,1),(0,0)]", "[(-0,0),(0,-0)]", "((1.5,2),(3,4.25))", "[(NaN,1),(Infinity,-Infinity)]", "[(1,2),(1,2)]", None),
    ),
    (
        "box",
        "box",
        (
            "(1,1),(0,0)", "(0,0),(1,1)", "(0,1),(1,0)", "(1,0),(0,1)", "((3,4),(-1,-2))", "(0,0),(0,0)", "(-0,1),(0,-0)", "(NaN,1),(0,0)",
            "(0,0),(1,NaN)", "(-Infinity,Infinity),(Infinity,-Infinity)", None,
        ),
    ),
    (
        "circle",
        "circle",
        ("<(0,0),0>", "<(1,2),3>", "<(-0,-0),-0>", "<(0.1,-1e300),5e-324>", "<(1,2),NaN>", "<(NaN,-Infinity),Infinity>", "((1,2),3)", None),
    ),
    (
        "path",
        "path",
        (
            "((0,0))", "[(0,0)]", "((0,0),(1,1))", "[(0,0),(1,1)]", "[(1,1),(0,0)]", "((0,0),(1,0),(1,1))", "[(0,0),(1,0),(1,1)]", "[(-0,NaN),(Infinity,0.1)]",
            "((0,0),(1,1),(0,0))", "[" + ",".join(f"({x},{x * x})" for x in range(40)) + "]", None,
        ),
    ),
    (
        "polygon",
        "polygon",
        (
            "((0,0))", "((0,0),(1,1))", "((0,0),(1,0),(1,1))", "((1,0),(1,1),(0,0))", "((1,1),(1,0),(0,0))", "((-0,NaN),(Infinity,0.1),(2,-Infinity))",
            "(" + ",".join(f"({x},{-x})" for x in range(40)) + ")", None,
        ),
    ),
    ("point[]", "point[]", ("{}", '{"(1,2)",NULL,"(-0,NaN)"}', '{{"(0,0)"},{"(1,1)"}}')),
    ("line[]", "line[]", ('{"{1,-1,0}",NULL}',)),
    ("lseg[]", "lseg[]", ('{"[(0,0),(1,1)]",NULL}',)),
    ("box[]", "box[]", ("{}", "{(1,1),(0,0);NULL;(2,0),(0,2)}", "{{(1,1),(0,0)};{(2,2),(1,1)}}")),
    ("circle[]", "circle[]", ('{"<(1,2),3>",NULL}',)),
    ("path[]", "path[]", ('{"[(0,0),(1,1)]",NULL,"((0,0),(1,1))"}',)),
    ("polygon[]", "polygon[]", ('{"((0,0),(1,0),(1,1))",NULL}',)),
)

SYSTEM_CELLS = (
    (
        "pg_lsn",
        "unsigned",
        ("0/0", "0/1", "0/FF", "1/0", "16/B374D848", "7FFFFFFF/FFFFFFFF", "80000000/0", "FFFFFFFF/FFFFFFFF", None),
    ),
    ("xid8", "unsigned", ("0", "1", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", None)),
    ("xid", "unsigned", ("0", "1", "3", "2147483648", "4294967295", None)),
    ("cid", "unsigned", ("0", "256", "4294967295", None)),
    ("pg_lsn[]", "unsigned[]", ("{16/B374D848,NULL,FFFFFFFF/FFFFFFFF}", "{}")),
    ("xid8[]", "unsigned[]", ("{18446744073709551615,NULL,0}",)),
    ("xid[]", "unsigned[]", ("{4294967295,NULL}",)),
    ("cid[]", "unsigned[]", ("{1,2}",)),
    ("tid", "tid", ("(0,0)", "(0,1)", "(1,0)", "(258,772)", "(4294967295,65535)", None)),
    ("tid[]", "tid[]", ('{"(0,1)",NULL,"(4294967295,65535)"}', "{}")),
    (
        "pg_snapshot",
        "snapshot",
        ("1:1:", "10:20:", "10:20:10", "10:20:10,14,15", "10:20:10,14,14,15", "4294967299:9223372036854775807:4294967299,4294967551,9223372036854775806", None),
    ),
    ("txid_snapshot", "snapshot", ("10:20:10,14,15", "1:1:", None)),
    ("pg_snapshot[]", "snapshot[]", ('{10:20:,NULL,"10:20:10,14"}',)),
    ('"char"', "bytes", ("", "a", "Z", " ", "0", "\\", "\x7f", "\n", None)),
    ('"char"[]', "bytes[]", ('{"",a,NULL,b}', "{}")),
    ("int2vector", "int[]", ("", "0", "1", "1 2 3", "-32768 32767", None)),
    ("oidvector", "int[]", ("", "0", "23 25", "4294967295 0", None)),
    ("refcursor", "text", ("", "cursor", "Zeiger ä", None)),
    ("refcursor[]", "text[]", ("{a,NULL}",)),
)

OBJECT_NAME_CELLS = (
    (
        "regclass",
        "text",
        (
            "pg_class", "pg_catalog.pg_class", '"pg_type"', "pg_class_oid_index", "information_schema.tables", "1259", "4294967295", "0", "-", None,
        ),
    ),
    (
        "regtype",
        "text",
        (
            "int4", "integer", "text", '"char"', '"any"', "uuid", "int4range", "pg_class", "information_schema.sql_identifier", "4294967295", "-", None,
        ),
    ),
    ("regproc", "text", ("now", "pg_catalog.version", '"current_user"', "4294967295", "-", None)),
    ("regprocedure", "text", ("now()", "upper(text)", "pg_catalog.starts_with(text, text)", "4294967295", "-", None)),
    ("regoperator", "text", ("||(text,text)", "pg_catalog.~~(text, text)", "@-@(none,path)", "4294967295", "0", None)),
    ("regrole", "text", ("pg_monitor", "pg_signal_backend", "4294967295", "-", None)),
    ("regnamespace", "text", ("pg_catalog", "information_schema", "public", "4294967295", "-", None)),
    ("regconfig", "text", ("simple", "pg_catalog.simple", "english", "4294967295", "-", None)),
    ("regdictionary", "text", ("simple", "english_stem", "pg_catalog.simple", "4294967295", "-", None)),
    ("regcollation", "text", ('"C"', 'pg_catalog."C"', '"POSIX"', '"default"', "4294967295", "-", None)),
    ("regclass[]", "text[]", ("{pg_class,NULL,4294967295,-}",)),
    ("regtype[]", "text[]", ('{uuid,NULL,"\\"char\\""}',)),
    ("regprocedure[]", "text[]", ('{now(),"upper(text)"}',)),
)

TEXT_LIKE_CELLS = (
    (
        "xml",
        "text",
        (
            "<a/>", "<a></a>", "<a b='1' c=\"2\"/>", "<a c=\"2\" b='1'/>", '<?xml version="1.0"?><a/>', '<?xml version="1.0" encoding="UTF-8"?><a>ä</a>',
            "<ä>日本語</ä>", " <a> x\n\ty </a> ", "<a>&lt;&amp;&#228;</a>", "<!-- c --><a><![CDATA[<]]></a>", "plain", "", None,
        ),
    ),
    ("xml[]", "text[]", ("{<a/>,NULL,<b>ä</b>}",)),
    (
        "jsonpath",
        "text",
        (
            "$", "lax $", "$.a", '$."a"', " $ . a [ * ] ", '$.a[*] ? (@.b > 1 && @.c == "x")', "strict $.ä", 'strict $."ä"', "$[0 to last].size()", "1 + 2", None,
        ),
    ),
    ("jsonpath[]", "text[]", ('{"$.a",NULL,$}',)),
    ("citext", "text", ("", "abc", "ABC", "Größe", "GRÖSSE", "trailing ", None)),
    ("citext[]", "text[]", ("{a,A,NULL,Ä}", "{}")),
    ("ltree", "text", ("", "Top", "top", "Top.Science.Astronomy", "a_1.2.B", "l" * 255, None)),
    ("ltree[]", "text[]", ('{Top.Science,NULL,""}', "{}")),
    ("lquery", "text", ("*", "a.*", "Top.*{1,2}.x", "*.Science@*.a|b", "!a.*", None)),
    ("ltxtquery", "text", ("a", "a & b", "a&b", "a & !b | c", None)),
    ("lquery[]", "text[]", ("{a.*,NULL}",)),
)

SEARCH_CELLS = (
    (
        "tsvector",
        "tsvector",
        (
            "", "a", "a b", "b a", "b aa a", "aa b", "a a", "a:1", "a:1D", "a:1A", "a:1B", "a:1C", "a:3,1,2", "a:1A,2B,3C,4D", "a:1,1A", "a:1B,1C", "a:16383",
            "a:16383C,20000A", "a:1 b:2 a:3", "'a b':1 'it''s' 'back\\\\slash'", "ä:1 z:2 日本語:3A", "'\uffff':1 '😀':2", "'a:1'", "Zeta alpha Ähre",
            "x" * 300 + ":5", " ".join(f"w{word}:{word}" for word in range(1, 60)), "a:" + ",".join(str(position) for position in range(255, 0, -1)), None,
        ),
    ),
    ("tsvector[]", "tsvector[]", ("{}", '{"a:1 b",NULL,""}')),
    (
        "tsquery",
        "tsquery",
        (
            "", "a", "A", "ä", "'two words'", "'it''s'", "'back\\\\slash'", "a:*", "a:A", "a:b", "a:C", "a:D", "a:AB*", "a:ABCD", "a:*dcba", "!a", "!!a", "!(a & b)",
            "a & b", "b & a", "a & b & c", "a & (b & c)", "a | b", "a | b | c", "a | (b | c)", "a & b | c", "a & (b | c)", "a | b & c", "(a | b) & c", "!a & b", "a & !b",
            "a <-> b", "b <-> a", "a <1> b", "a <0> b", "a <2> b", "a <16384> b", "a <-> b <-> c", "a <-> (b <2> c)", "!a <-> b", "a <-> !b", "(a & b) <-> (c | d)",
            "a & b <-> c | d", "a:*A <3> 'ü b':BC & !(日本語 | 😀:*)", "((((a))))", " & ".join(f"w{word}" for word in range(50)), None,
        ),
    ),
    ("tsquery[]", "tsquery[]", ('{"a & !b",NULL,""}', "{}")),
)

HSTORE_CELLS = (
    (
        "hstore",
        "hstore",
        (
            "", "a=>1", 'a=>""', "a=>NULL", 'a=>"NULL"', '""=>""', '""=>NULL', "a=>1,b=>2", "b=>2, a=>1", "b=>1,aa=>2", "aa=>2,b=>1,a=>3,ab=>4,abc=>5",
            'z=>1,ä=>2,日=>3,"😀"=>4,"\uffff"=>5', 'ä=>"é",zz=>NULL', '"a b"=>"c,d", "e=>f"=>"g\\"h\\\\i"', "A=>1,a=>2,B=>3",
            "k=>" + "v" * 3000, ",".join(f"key{number}=>{number}" for number in range(120)), None,
        ),
    ),
    ("hstore[]", "hstore[]", ('{"b=>1,aa=>NULL",NULL,""}', "{}")),
)

RANGE_CELLS = (
    (
        "int4range",
        "range<int>",
        (
            "empty", "[1,3]", "[1,4)", "(0,4)", "(0,3]", "[1,1]", "[1,2)", "[1,1)", "(1,2)", "(1,1]", "[1,)", "(0,)", "(,5]", "(,6)", "[,5]", "(,)", "[,]", "[-1,0)", "[-2147483648,2147483647)",
            "[-2147483648,2147483646]", "(2147483646,2147483647)", "(-2147483648,)", None,
        ),
    ),
    (
        "int8range",
        "range<int>",
        ("empty", "[1,3]", "[1,4)", "(,)", "[-9223372036854775808,9223372036854775807)", "(9223372036854775806,)", "(,-9223372036854775808)", None),
    ),
    (
        "numrange",
        "range<decimal>",
        (
            "empty", "[1,3]", "[1.0,3.00]", "[1,3)", "(1,3]", "(1,3)", "[1,1.0]", "[1,1.00)", "(1,1]", "[0,)", "(,0.0]", "(,0)", "(,)", "[-1e100,1e-100)", "[1,NaN]", "(NaN,)", None,
        ),
    ),
    (
        "tsrange",
        "range<timestamp>",
        (
            "empty", '["2000-01-01 00:00:00","2000-01-01 00:00:00"]', '["2000-01-01 00:00:00","2000-01-01 00:00:00")', "[1999-12-31 23:59:59.999999,2024-02-29 12:00:00)", "[-infinity,infinity]",
            "(-infinity,infinity)", "(,infinity]", "(,)", None,
        ),
    ),
    (
        "tstzrange",
        "range<timestamptz>",
        (
            "empty", '["2000-01-01 02:00:00+02","2000-01-02 00:00:00+00")', '["2000-01-01 00:00:00+00","2000-01-02 05:30:00+05:30")', '("1999-12-31 16:00:00-08",]', "[-infinity,)", "(,infinity)",
            None,
        ),
    ),
    (
        "daterange",
        "range<date>",
        (
            "empty", "[2000-01-01,2000-01-31]", "[2000-01-01,2000-02-01)", "(1999-12-31,2000-02-01)", "(2000-01-01,2000-01-02)", "[2024-02-28,2024-02-28]", "[2000-01-01,infinity]",
            "[2000-01-01,infinity)", "(-infinity,2000-01-01]", "[-infinity,infinity]", "(,2000-01-01)", "[2000-01-01,)", "(,)", None,
        ),
    ),
    (
        "parity_textrange",
        "range<text>",
        ("empty", "[a,b]", "[a,b)", '["",a)', '("","")', '["",""]', '["a,b","c)d"]', '["a""b",c\\,d]', "[ a , b ]", "[z,ä)", "[ä,😀]", "(,日]", "[a,)", None),
    ),
    ("parity_floatrange", "range<float>", ("empty", "[-0,0]", "[-0,0)", "[0,1)", "[-0,1)", "[-Infinity,Infinity]", "(,NaN]", "[NaN,NaN]", "[0.1,0.2]", None)),
    ("parity_moodrange", "range<text>", ("[sad,ok]", "(ok,glücklich)", "(,glücklich]", "empty")),
    ("parity_pairrange", 'range<record<"B b":text[],a:int>>', ('["(1,{a})","(2,)")', '("(,\\"{\\"\\"x y\\"\\",NULL}\\")",)', "empty")),
    ("int4range[]", "range<int>[]", ("{}", '{"[1,3]",NULL,empty,"(,)"}', '{{"[1,2)"},{"[,5)"}}')),
    ("numrange[]", "range<decimal>[]", ('{"[1.0,2]",NULL}',)),
    ("tstzrange[]", "range<timestamptz>[]", ('{"[\\"2000-01-01 02:00:00+02\\",)",NULL,empty}',)),
    ("daterange[]", "range<date>[]", ('{"[2000-01-01,2000-01-31]",empty}',)),
)

MULTIRANGE_CELLS = (
    (
        "int4multirange",
        "multirange<int>",
        (
            "{}", "{empty}", "{[1,3]}", "{[1,4)}", "{[1,3],[5,7)}", "{[5,7),[1,3]}", "{[1,3],[4,7)}", "{[1,5],[2,3]}", "{[1,2),empty,[3,4)}", "{(,)}", "{(,1),[3,)}", "{[1,3],(,2)}", "{(,2),(,5],[6,)}",
            "{[-2147483648,0),[1,2147483647)}", None,
        ),
    ),
    ("int8multirange", "multirange<int>", ("{}", "{[-9223372036854775808,0],[9223372036854775806,)}", None)),
    ("nummultirange", "multirange<decimal>", ("{}", "{[1.0,2),[2.00,3]}", "{(1,2),(2,3)}", "{(1,2],(2,3)}", "{(1,2),[2,3)}", "{[0.5,0.50],[1,1)}", "{[1,10],[2,3],(10,11)}", None)),
    ("tsmultirange", "multirange<timestamp>", ("{}", '{["2000-01-01 00:00:00","2000-01-02 00:00:00"),[-infinity,1999-12-31 00:00:00]}', None)),
    ("tstzmultirange", "multirange<timestamptz>", ("{}", '{["2000-01-01 02:00:00+02","2000-01-02 00:00:00+00"),(,"1999-12-31 16:00:00-08")}', "{[2024-01-01 00:00:00+00,)}", None)),
    ("datemultirange", "multirange<date>", ("{}", "{[2000-01-01,2000-01-31],[2000-02-01,2000-02-29]}", "{[2000-01-01,2000-01-30],[2000-02-01,infinity]}", None)),
    ("parity_textmultirange", "multirange<text>", ("{}", '{[a,b),["b,c",d],(,""]}', "{[z,ä),[日,)}", None)),
    ("int4multirange[]", "multirange<int>[]", ("{}", '{"{[1,3],[5,7)}",NULL,"{}"}')),
    ("tstzmultirange[]", "multirange<timestamptz>[]", ('{"{[2024-01-01 00:00:00+00,)}",NULL}',)),
    (
        "parity_multirange_holder",
        "record<m:multirange<int>,n:multirange<decimal>[]>",
        ('("{[1,3],[5,7)}","{""{[1.0,2]}"",NULL}")', "({},)", "(,)", None),
    ),
)

PAIR = 'record<"B b":text[],a:int>'
ODD = 'record<"A,>":text,a:int,a_1:money,aa:point,"x""y":float,"ä":decimal>'
SPAN = f"record<l:range<int>[],p:{PAIR},q:{PAIR}[],r:range<int>,t:range<timestamptz>>"
COMPOSITE_CELLS = (
    (
        "parity_pair",
        PAIR,
        ('(1,"{a,b}")', "(1,{})", "(1,)", "(,{NULL})", "(,)", '(-2147483648,"{""x y"",NULL,""NULL"",ä}")', '(2147483647,"{{a,b},{c,d}}")', '(0,"{""a\\\\"",\\\\\\\\""}")', None),
    ),
    ("parity_swapped", PAIR, ('("{a,b}",1)', "(,)", "({},)")),
    ("parity_single", "record<1st:text>", ('("")', "()", "(x)", '("a ""b"" \\\\ c")', "( y )", "(日本語)", None)),
    ("parity_nothing", "record<>", ("()", None)),
    (
        "parity_odd",
        ODD,
        ('(1.50,0.1,ab,-0.01,"(-0,NaN)",7)', "(,,,,,)", '(NaN,-0,"",92233720368547758.07,"(Infinity,1)",-1)', '(1e100,NaN,"ä ",0,"(0,0)",)', None),
    ),
    (
        "parity_span",
        SPAN,
        (
            '("[1,3]","[""2000-01-01 02:00:00+02"",)","(1,""{a,b}"")","{""(2,{c})"",NULL,""(,)""}","{""[1,3]"",NULL,empty}")', "(empty,empty,\"(,)\",{},{})", "(,,,,)", '("(,)","(,)",,{NULL},)', None,
        ),
    ),
    ("parity_pair[]", PAIR + "[]", ("{}", '{"(1,\\"{a,b}\\")",NULL,"(,)"}', '[0:0]={"(1,)"}', None)),
    ("parity_span[]", SPAN + "[]", ('{"(\\"[1,3]\\",,,,)",NULL}',)),
    ("parity_single[]", "record<1st:text>[]", ('{(x),"(\\"\\")",()}',)),
)

DOMAIN_CELLS = (
    ("parity_count", "int", ("0", "-1", "2147483647", None)),
    ("parity_count[]", "int[]", ("{}", "{1,NULL}")),
    ("parity_label", "text", ("", "ab", "ab  ", "äö", None)),
    ("parity_label[]", "text[]", ('{ab,"",NULL}',)),
    ("parity_list", "int[]", ("{}", "{1,NULL}", "[0:1]={1,2}", None)),
    ("parity_pair_domain", PAIR, ('(1,"{a}")', "(,)", None)),
    ("parity_pair_domain[]", PAIR + "[]", ('{"(1,\\"{a}\\")",NULL}',)),
)

TYPE_CELLS = (
    BIT_CELLS + NETWORK_CELLS + MONEY_CELLS + GEOMETRIC_CELLS + SYSTEM_CELLS + OBJECT_NAME_CELLS + TEXT_LIKE_CELLS + SEARCH_CELLS + HSTORE_CELLS
    + RANGE_CELLS + COMPOSITE_CELLS + DOMAIN_CELLS + MULTIRANGE_CELLS
)

# Forms that types have besides their default. What a lossy one does not tell apart comes as a pair.
TRIMMED = ("", " ", "   ", "a", "a ", "a   ", " a", " a ", "a\t", "a b  ", "ä  ", "日本語 ", "a\u00a0", "a\u3000 ", None)
WRITTEN_UUIDS = (
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
    "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
    "00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF", None,
)
ROUNDED = (
    "0", "-0", "1", "-1.5", "0.1", "-0.1", "0.10000000149011612", "3.141592653589793", "16777217", "9007199254740993", "1.0000000596046448",
    "1.0000001788139343", "3.4028234663852886e38", "3.4028235e38", "3.4028235677973362e38", "3.4028235677973366e38", "-3.4028235677973366e38",
    "1e39", "1.7976931348623157e308", "1.1754943508222875e-38", "1.401298464324817e-45", "7.006492321624085e-46", "7.006492321624087e-46",
    "-1e-46", "5e-324", "Infinity", "-Infinity", "NaN", None,
)
OTHER_FORM_CELLS = (
    ("text", "trimmed", TRIMMED),
    ("varchar", "trimmed", TRIMMED[:5]),
    ("character(5)", "trimmed", ("", "a", "a ", "ä", None)),
    ("text[]", "trimmed[]", ('{}', '{"a ",a,"",NULL," "}')),
    ("text", "uuid", WRITTEN_UUIDS),
    ("varchar", "uuid", WRITTEN_UUIDS[:3]),
    ("character(40)", "uuid", WRITTEN_UUIDS[:4]),
    ("text[]", "uuid[]", ("{}", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,NULL}")),
    (
        "uuid",
        "text",
        ("00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", None),
    ),
    ("uuid[]", "text[]", ("{}", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}")),
    ("text", "json", ('{"b": 1.0, "\\u0061": [true, null, "ä"]}', '{"a":[true,null,"ä"],"b":1}', '{"a":1,"a":2}', "{}", "0.00", None)),
    ("varchar", "json", ('[1e2]', "[100]")),
    ("double precision", "float4", ROUNDED),
    ("double precision[]", "float4[]", ("{}", "{0.1,NULL,1e300}")),
    ("real", "float4", ("0", "-0", "0.1", "3.4028235e38", "1e-45", "Infinity", "NaN", None)),
    ("money", "decimal", ("0", "0.01", "-0.10", "1", "-1.00", "100.00", "1234.56", "99.99", "100.01", "92233720368547758.07", "-92233720368547758.08", None)),
    ("money[]", "decimal[]", ("{1.00,NULL,-0.01}",)),
    (
        "date",
        "timestamp",
        ("2000-01-01", "1999-12-31", "1582-10-04", "0044-03-15 BC", "4714-11-24 BC", "9999-12-31", "294276-12-31", "infinity", "-infinity", None),
    ),
    ("date[]", "timestamp[]", ("{}", "{2000-01-02,NULL,infinity}")),
)
