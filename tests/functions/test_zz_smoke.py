def test_health(call):
    a = call("operations","GET","/v1/health")
    assert a.status==200, a
    a = call("catalog","GET","/v1/products")
    assert a.json=={"items":[],"next_cursor":None}, a
    a = call("pricing_preview","POST","/v1/pricing/preview",body={"price_id":"price_x","quantity":-1,"zzz":1})
    assert a.status==422, a
    print(a)
    a = call("pricing_preview","POST","/v1/pricing/preview",body="{nojson")
    print(a)
    a = call("pricing_preview","POST","/v1/pricing/preview",body={"price_id":"price_x"})
    print(a); assert a.status==404
    a = call("operations","GET","/docs"); assert a.status==200 and len(a.text)>100000
    a = call("operations","GET","/v1/nope"); print(a); assert a.status==404
