"""Chinese for what concerns charging: events and ends, ports, energy (host)."""

ZH = {
    "charge_chooses": "刷卡后未选端口",
    "temperature_warning": "温度预警",
    "over_temperature": "超温断电",
    "emergency_stop": "急停",
    "event:leakage": "漏电断电",
    "event:relay_weld": "继电器粘连",
    "event:over_power": "超功率断电",
    "meter_lost": "电表失联",
    "meter_back": "电表恢复",
    "contactor_tripped": "总接触器断开",
    "station_limit": "整站功率上限",
    "reset_on_site": "现场复位",
    "output_lost": "继电器扩展失联",
    "output_back": "继电器扩展恢复",
    "energy_lost": "电量账目受损",
    "quota_day": "当日额度用完",
    "resumed": "断电后续充",
    "get_ports": "读取端口状态",
    "read_energy": "读取电量账目",
}
